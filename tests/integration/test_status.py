"""Status and logs of real workloads: healthy, crash-looping, without their image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.rollout import status
from tests.harness import eventually
from tests.integration.stage import Stage, staged

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def stage(kubeconfig: Path) -> Iterator[Stage]:
    with staged(kubeconfig) as made:
        made.release("one")
        yield made


def until(stage: Stage, name: str, told: str) -> status.WorkloadStatus:
    """The workload's status once its reason or causes tell that."""

    def look() -> status.WorkloadStatus:
        return next(one for one in status.read(stage.kube, stage.name).workloads if one.name == name)

    def telling() -> status.WorkloadStatus | None:
        found = look()
        return found if told in "\n".join((found.reason, *found.causes)) else None

    found: status.WorkloadStatus = eventually(telling, lambda: f"{told!r} in {look()}", every=0.5)
    return found


def document(stage: Stage, folder: Path, *words: str, expect: int = 0) -> Any:
    return json.loads(stage.turnout("status", stage.name, "--json", *words, cwd=folder, expect=expect).stdout)


def test_healthy_environment(stage: Stage, tmp_path: Path) -> None:
    found = document(stage, tmp_path, "--exit-code")
    [web] = found["workloads"]
    assert (web["name"], web["healthy"], web["ready"], web["versions"]) == ("web", True, 2, ["1"])
    assert (found["release"]["number"], found["lock"]) == (1, None)


@pytest.mark.pods
def test_crash_loop_is_told_with_its_last_lines(stage: Stage, tmp_path: Path) -> None:
    stage.put(stage.deployment("one", workload="crashing", command="(echo boom from inside; exit 3)", replicas=1))
    found = until(stage, "crashing", "boom from inside")
    assert not found.healthy
    assert "exit code 3" in "\n".join(found.causes) or found.restarts == 0
    assert document(stage, tmp_path)["healthy"] is False
    document(stage, tmp_path, "--exit-code", expect=1)


@pytest.mark.pods
def test_missing_image_is_named(stage: Stage) -> None:
    wanted = stage.deployment("one", workload="imageless", replicas=1)
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "turnout.local/nothing:7"
    stage.put(wanted)
    assert not until(stage, "imageless", "turnout.local/nothing:7 cannot be had").healthy


@pytest.mark.pods
def test_logs_of_every_pod_in_the_order_of_time(stage: Stage, tmp_path: Path) -> None:
    stage.put(stage.deployment("one", workload="talking", command="(echo first; echo second; sleep 600)"))
    stage.wait_ready("talking-a")

    def logs() -> Any:
        return json.loads(stage.turnout("logs", stage.name, "talking", "--json", cwd=tmp_path).stdout)

    lines = eventually(lambda: len(found := logs()) >= 4 and found, lambda: f"two lines of each pod in {logs()}")
    assert sorted(line["message"] for line in lines) == ["first", "first", "second", "second"]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert len({line["pod"] for line in lines}) == 2


def test_unknown_workload_names_the_known_ones(stage: Stage, tmp_path: Path) -> None:
    done = stage.turnout("logs", stage.name, "nothing", cwd=tmp_path, expect=2)
    assert "workloads with pods: " in done.stderr
    assert "web" in done.stderr


def test_doctor_finds_the_cluster_well(stage: Stage, tmp_path: Path) -> None:
    found = json.loads(stage.turnout("doctor", stage.name, "--json", cwd=tmp_path).stdout)
    verdicts = {check["name"]: check["verdict"] for check in found}
    assert (verdicts["cluster"], verdicts["rights"]) == ("ok", "ok")
