"""The workflows and the template: as their forges read them, with the least rights, and with commands that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.components.monitoring import binary
from tests.unit.docs.test_commands_named import wrong

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".github/workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
GITLAB = ROOT / ".gitlab/turnout.gitlab-ci.yml"
INPUTS = {"environment": "prod", "command": "up", "image": "python:3.12-bookworm"}
PINNED = re.compile(r"uses: (?:\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)(?: # .*)?$")
SHOWN = re.findall(r"^    on: .*\n(?:    .*\n)+", (ROOT / "docs/ci.md").read_text(), re.MULTILINE)
"""The workflows that docs/ci.md shows whole."""
CALLED = re.compile(r"\.venv/bin/(turnout [^\n]*)")

each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def zizmor() -> str | None:
    return shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")


def read(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((FOLDER / name).read_text()))


def steps(document: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    for job in document["jobs"].values():
        yield from job.get("steps", [])


def template() -> str:
    """GitLab's template as it stands when it is included."""
    _, text = GITLAB.read_text().split("\n---\n")
    return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: INPUTS[found[1]], text)


def test_actionlint_finds_nothing() -> None:
    run(binary("actionlint"), "-no-color", *WORKFLOWS)


def test_zizmor_finds_nothing() -> None:
    program = zizmor()
    if program is None:
        pytest.skip("zizmor is not installed: make test installs it")
    run(program, "--offline", "--no-config", "--no-progress", "--persona=pedantic", "--quiet", FOLDER)


def test_workflows_have_the_published_form() -> None:
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_the_template_has_the_published_form(tmp_path: Path) -> None:
    (tmp_path / "gitlab-ci.json").write_text(json.dumps(yaml.safe_load(template())))
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci")
    run(*check, "--data-transform", "gitlab-ci", tmp_path / "gitlab-ci.json")


def test_the_templates_inputs_are_those_it_uses() -> None:
    spec = yaml.safe_load(GITLAB.read_text().split("\n---\n")[0])["spec"]["inputs"]
    assert spec.keys() == set(re.findall(r"inputs\.(\w+)", GITLAB.read_text())) == INPUTS.keys()
    assert {name: given["default"] for name, given in spec.items()} == INPUTS


@each_workflow
def test_actions_are_pinned_by_commit(file: Path) -> None:
    lines = [line.strip(" -") for line in file.read_text().splitlines() if "uses:" in line]
    assert [line for line in lines if not PINNED.match(line)] == []


@each_workflow
def test_no_workflow_runs_a_strangers_code_with_rights(file: Path) -> None:
    assert "pull_request_target" not in file.read_text()
    document = read(file.name)
    assert document["permissions"] == {}
    writing = {
        name: [right for right, how in job["permissions"].items() if how != "read"]
        for name, job in document["jobs"].items()
    }
    assert {name: rights for name, rights in writing.items() if rights} == (
        {"comment": ["pull-requests"]} if file.name == "comment.yml" else {}
    )


def checkouts(name: str) -> list[dict[str, Any]]:
    return [step for step in steps(read(name)) if step.get("uses", "").startswith("actions/checkout@")]


def test_credentials_of_the_checkout_are_not_left_behind() -> None:
    found = {file.name: [step["with"]["persist-credentials"] for step in checkouts(file.name)] for file in WORKFLOWS}
    kept = [kept for of_one in found.values() for kept in of_one]
    assert kept and all(each is False for each in kept), found


def test_a_pull_request_meets_no_secret() -> None:
    for name in ("preview.yml", "turnout-preview.yml"):
        assert not re.search(r"\bsecrets\b|github\.token|GITHUB_TOKEN|environment:", (FOLDER / name).read_text())


def test_only_a_run_of_the_default_branch_comments() -> None:
    """What the pull request left is given to one program as the name of a file, and to nothing else."""
    [job] = read("comment.yml")["jobs"].values()
    assert read("comment.yml")[True]["workflow_run"]["workflows"] == [read("preview.yml")["name"]]
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "python3 -I cli/ci/comment.py artifact/comment.md"
    ]
    [checkout] = checkouts("comment.yml")
    assert "ref" not in checkout["with"] and "repository" not in checkout["with"]


@each_workflow
def test_no_shell_is_made_of_what_others_wrote(file: Path) -> None:
    assert [step["run"] for step in steps(read(file.name)) if "${{" in step.get("run", "")] == []


def shown(tmp_path: Path) -> list[Path]:
    """The workflows of docs/ci.md as files, beside those that they call."""
    folder = tmp_path / ".github/workflows"
    shutil.copytree(FOLDER, folder)
    (tmp_path / ".git").mkdir()
    files = [folder / f"shown-{at}.yml" for at in range(len(SHOWN))]
    for file, text in zip(files, SHOWN, strict=True):
        file.write_text(textwrap.dedent(text))
    return files


def test_workflows_of_the_docs_can_be_copied(tmp_path: Path) -> None:
    files = shown(tmp_path)
    assert len(files) == 2
    run(binary("actionlint"), "-no-color", *files)
    if program := zizmor():
        run(program, "--offline", "--no-config", "--no-progress", "--min-severity=medium", "--quiet", *files)


def test_whoever_calls_a_workflow_with_secrets_passes_them(tmp_path: Path) -> None:
    """Without that, GitHub leaves even the secrets of the called job's own environment empty."""
    files = [file for file in (*WORKFLOWS, *shown(tmp_path)) if "uses: ./.github/workflows/" in file.read_text()]
    calls = [job for file in files for job in yaml.safe_load(file.read_text())["jobs"].values()]
    needing = [job for job in calls if "secrets." in (FOLDER / Path(job["uses"]).name).read_text()]
    assert len(needing) == 2
    assert [job for job in needing if job.get("secrets") != "inherit"] == []


def test_drift_is_looked_for_by_its_own_schedule() -> None:
    """On a schedule there are no inputs: a variable says which environments."""
    document = read("turnout-drift.yml")
    assert document[True]["schedule"] and "environment" in document[True]["workflow_dispatch"]["inputs"]
    [job] = document["jobs"].values()
    assert "vars.TURNOUT_DRIFT" in job["if"] and "vars.TURNOUT_DRIFT" in job["strategy"]["matrix"]["environment"]
    asked = [step["env"] for step in job["steps"] if "turnout drift" in step.get("run", "")]
    assert [(env["ENVIRONMENT"], env["EVERY"]) for env in asked] == [
        ("${{ matrix.environment }}", "${{ inputs.every || '1h' }}")
    ]


def test_prod_is_applied_from_a_plan_that_was_approved() -> None:
    jobs = read("turnout-deploy.yml")["jobs"]
    assert jobs["plan"]["environment"] == "${{ inputs.environment }}-preview"
    assert (jobs["apply"]["environment"], jobs["apply"]["needs"]) == ("${{ inputs.environment }}", "plan")
    applying = [step["run"] for step in jobs["apply"]["steps"] if ".venv/bin/turnout" in step.get("run", "")]
    assert len(applying) == 1 and "--plan plan/saved.plan" in applying[0]
    assert read("turnout-deploy.yml")["concurrency"]["cancel-in-progress"] is False
    apply = yaml.safe_load(template())["turnout:apply"]
    assert apply["environment"] == {"name": "prod"}
    assert (apply["interruptible"], apply["rules"][0]["when"]) == (False, "manual")


def test_a_cancelled_apply_hears_of_it_itself() -> None:
    scripts = [step["run"] for step in steps(read("turnout-deploy.yml")) if "--plan" in step.get("run", "")]
    scripts += yaml.safe_load(template())["turnout:apply"]["script"]
    assert scripts and all(script.strip().splitlines()[-1].startswith("exec .venv/bin/turnout ") for script in scripts)


def test_commands_can_be_typed() -> None:
    scripts = [step.get("run", "") for file in WORKFLOWS for step in steps(read(file.name))]
    scripts += [line for job in yaml.safe_load(template()).values() for line in job.get("script", [])]
    found = [line for script in scripts for line in CALLED.findall(script.replace("\\\n", " "))]
    called = [
        line.replace("$COMMAND", how).replace("|| code=$?", "") for line in found for how in ("up", "rollout start")
    ]
    assert len(called) >= 5
    assert {line: why for line in called if (why := wrong(line))} == {}
