"""The steps of the deploying workflow themselves: done as a runner does them, and cancelled as GitHub's runner does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.rollout import lease
from tests.harness import COMMAND, ROOT, eventually
from tests.integration.small import Small, ended, small
from tests.integration.test_signals import LEASE, assert_left_clean, control

pytestmark = pytest.mark.cluster

WORKFLOW = ROOT / ".github/workflows/turnout-deploy.yml"
SEQUENCE = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5))
"""What the runner sends, and how many seconds it waits after each; then it kills all processes of the step.

On a machine with more to do than processors, as many times longer: as much time on a processor.
"""


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Small]:
    """With a saved plan whose apply waits for a Deployment that never gets ready."""
    with small(tmp_path, sandbox, kubeconfig) as project:
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/bin/turnout").symlink_to(COMMAND)
        (tmp_path / "plan").mkdir()
        project.ask_for(never=True)
        project.run("preview", project.environment, "--save", "plan/saved.plan")
        yield project


def step(job: str) -> dict[str, Any]:
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"][job]["steps"]
    [found] = [one for one in steps if one.get("name") == job.capitalize()]
    return dict(found)


def started(project: Small, job: str, **variables: str) -> subprocess.Popen[str]:
    """The step of that job, as a runner starts it: `bash -e FILE`."""
    script = project.folder / "step.sh"
    script.write_text(step(job)["run"])
    given = {"ENVIRONMENT": project.environment, **variables}
    assert given.keys() < step(job)["env"].keys()
    outputs = {name: str(project.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return subprocess.Popen(
        ["bash", "-e", script],
        cwd=project.folder,
        env={**project.variables, **given, **outputs},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def applying(project: Small) -> subprocess.Popen[str]:
    """In the middle of waiting for readiness."""
    process = started(project, "apply", COMMAND="up", REASON="run 1 of abc")
    place = ("apps/v1", "Deployment", "never", project.environment)
    eventually(lambda: project.kube.find(*place) or process.poll() is not None, "the Deployment is there")
    time.sleep(1.5)
    assert process.poll() is None, ended(process)
    return process


def cancelled(process: subprocess.Popen[str]) -> bool:
    """Signals the step's own process alone. Whether it ended before all that it started would have been killed."""
    family = descendants(process.pid)
    crowded = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    for number, patience in SEQUENCE:
        os.kill(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience * crowded)
            return True
    for pid in (process.pid, *family, *descendants(process.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return False


def descendants(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    children = [int(word) for word in found.stdout.split()]
    return children + [one for child in children for one in descendants(child)]


def test_a_plan_is_made_applied_and_no_second_one_needed(project: Small) -> None:
    project.ask_for()
    for planned, changes in enumerate(("true", "false")):
        shutil.rmtree(project.folder / "plan")
        done = ended(started(project, "plan"))
        assert done.returncode == 0, done.stderr
        assert (project.folder / "GITHUB_OUTPUT").read_text().splitlines()[planned:] == [f"changes={changes}"]
        assert {path.name for path in (project.folder / "plan").iterdir()} == {
            "saved.plan",
            "comment.md",
            "preview.html",
        }
        if changes == "true":
            done = ended(started(project, "apply", COMMAND="up", REASON="run 1 of abc"))
            assert done.returncode == 0, done.stderr
    assert "Preview" in (project.folder / "GITHUB_STEP_SUMMARY").read_text()


def test_a_cancelled_job_gives_the_lock_back(project: Small) -> None:
    process = applying(project)
    assert cancelled(process), "the step had to be killed"
    assert_left_clean(project, ended(process))


def test_a_job_that_had_to_be_killed_strands_no_lock(project: Small) -> None:
    process = applying(project)
    for pid in (process.pid, *descendants(process.pid)):
        os.kill(pid, signal.SIGSTOP)  # it hears of nothing any more
    assert not cancelled(process)
    ended(process)
    found = project.kube.get(*LEASE, control(project))
    assert found["spec"]["leaseDurationSeconds"] <= 60, "from another machine it is free after that"
    holder = lease.holder(found)
    assert holder and holder.process_gone, "on this machine it is free now"
    project.ask_for()
    project.run("repair", project.environment, "--yes")
    project.run("up", project.environment, "--yes")
    project.run("preview", project.environment, "--exit-code")
