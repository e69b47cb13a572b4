"""A rollback on a real cluster, from a folder without any checkout: content, ownership, conflicts, rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.rollout import audit, releases
from cli.rollout.lock import current
from tests.integration.stage import Stage, staged

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def stage(kubeconfig: Path) -> Iterator[Stage]:
    with staged(kubeconfig) as made:
        yield made


@pytest.fixture
def two(stage: Stage) -> Stage:
    """Release `two` runs, `one` came before it."""
    stage.release("one")
    stage.release("two")
    bring_two(stage)
    return stage


def bring_two(stage: Stage) -> None:
    with releases.attempt(stage.kube, stage.name, kind="up") as attempt:
        attempt.succeeded(stage.release("two"))


def test_content_comes_back_and_what_the_release_added_goes(two: Stage, tmp_path: Path) -> None:
    two.put(two.deployment("two", workload="added", replicas=1))
    before = releases.load(two.kube, two.name).current
    assert before
    done = two.turnout("rollback", two.name, "--yes", "--json", "--reason", "it errs", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert (answer["release"], answer["state"]) == (before.number + 1, "owed: no checkout here is of this cluster")
    assert two.variables() == {"VERSION": "one", "ONLY_IN_ONE": "1"}
    assert two.live("added-a")["spec"]["replicas"] == 0
    assert two.live()["status"]["updatedReplicas"] == two.live()["status"]["availableReplicas"] == 2
    assert current(two.kube, two.name) is None
    newest = audit.entries(two.kube, two.name)[0]
    assert (newest.what, newest.why, newest.outcome) == (f"turnout rollback {two.name}", "it errs", "done")


def test_what_a_rollback_stopped_runs_again_with_the_next_apply(two: Stage, tmp_path: Path) -> None:
    """Who stopped it must not own the count: an apply of another one would be refused."""
    added = two.deployment("two", workload="added", replicas=1)
    for _ in range(2):  # as it was made, and after an apply
        two.put(added)
        two.turnout("rollback", two.name, "--yes", cwd=tmp_path)
        assert two.live("added-a")["spec"]["replicas"] == 0
        bring_two(two)
        two.put(added)
        assert two.live("added-a")["spec"]["replicas"] == 1
    two.turnout("rollback", two.name, "--yes", cwd=tmp_path)


def test_deleted_configuration_is_created_again_before_its_workload(two: Stage, tmp_path: Path) -> None:
    two.kube.delete("v1", "ConfigMap", "web-config-one", two.name)
    two.turnout("rollback", two.name, "--yes", cwd=tmp_path)
    assert two.kube.get("v1", "ConfigMap", "web-config-one", two.name)["data"] == {"v": "one"}


def test_what_was_set_by_kubectl_is_no_obstacle(two: Stage, tmp_path: Path) -> None:
    container = {"name": "web", "env": [{"name": "VERSION", "value": "by hand"}]}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    two.kube.patch("apps/v1", "Deployment", "web-a", two.name, body, "kubectl-edit", how="strategic")
    assert two.variables()["VERSION"] == "by hand"
    two.turnout("rollback", two.name, "--yes", cwd=tmp_path)
    assert two.variables() == {"VERSION": "one", "ONLY_IN_ONE": "1"}
    managers = {row["manager"] for row in two.live()["metadata"]["managedFields"] if row["operation"] == "Apply"}
    assert managers == {"turnout"}


def test_scaling_by_hand_is_no_obstacle(two: Stage, tmp_path: Path) -> None:
    scale = {"spec": {"replicas": 3}}
    place = ("apps/v1", "Deployment", "web-a", two.name)
    two.kube.patch(*place, scale, "kubectl", subresource="scale")
    two.turnout("rollback", two.name, "--yes", cwd=tmp_path)
    assert (two.live()["spec"]["replicas"], two.variables()["VERSION"]) == (2, "one")


def test_field_of_another_controller_is_refused_before_anything_is_touched(two: Stage, tmp_path: Path) -> None:
    body = {"spec": {"replicas": 3}}
    two.kube.patch("apps/v1", "Deployment", "web-a", two.name, body, "autopilot")
    two.wait_ready("web-a")
    done = two.turnout("rollback", two.name, "--yes", cwd=tmp_path, expect=4)
    assert "autopilot owns .spec.replicas" in done.stderr
    assert two.variables()["VERSION"] == "two"
    two.turnout("rollback", two.name, "--yes", "--force-conflicts", cwd=tmp_path)
    assert two.live()["spec"]["replicas"] == 2


def test_nobody_to_ask_is_wrong_use(two: Stage, tmp_path: Path) -> None:
    done = two.turnout("rollback", two.name, cwd=tmp_path, expect=2)
    assert "→ the content of release" in done.stdout
    assert two.variables()["VERSION"] == "two"
    assert current(two.kube, two.name) is None


def test_a_service_that_the_bad_release_removed_or_changed_has_its_address_again(stage: Stage, tmp_path: Path) -> None:
    tools = stage.deployment("one", workload="tools", replicas=1)
    good = (stage.service("web", 80), stage.service("tools", 8080), tools)
    with releases.attempt(stage.kube, stage.name, kind="up") as attempt:
        attempt.succeeded(stage.release("one", *good))
    with releases.attempt(stage.kube, stage.name, kind="up") as attempt:
        attempt.succeeded(stage.release("two", stage.service("web", 9090)))
    stage.kube.delete("v1", "Service", "tools", stage.name)
    stage.kube.delete("apps/v1", "Deployment", "tools-a", stage.name)
    stage.turnout("rollback", stage.name, "--yes", cwd=tmp_path)
    for name, port in (("web", 80), ("tools", 8080)):
        spec = stage.kube.get("v1", "Service", name, stage.name)["spec"]
        assert [row["port"] for row in spec["ports"]] == [port]
        assert spec["selector"] == {"app.kubernetes.io/name": name}
    assert stage.live("tools-a")["status"]["availableReplicas"] == 1
