"""A rollback on a real cluster, from a folder without any checkout: content, ownership, conflicts, rights."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

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
    with releases.attempt(stage.kube, stage.name, kind="up") as attempt:
        attempt.succeeded(stage.release("two"))
    return stage


def test_content_comes_back_and_what_the_release_added_goes(two: Stage, tmp_path: Path) -> None:
    two.put(two.deployment("two", workload="added", replicas=1))
    before = releases.load(two.kube, two.name).current
    assert before
    done = two.turnout("rollback", two.name, "--yes", "--json", "--reason", "it errs", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert (answer["release"], answer["state"]) == (before.number + 1, "owed: there is no checkout here")
    assert two.variables() == {"VERSION": "one", "ONLY_IN_ONE": "1"}
    assert two.live("added-a")["spec"]["replicas"] == 0
    assert two.live()["status"]["updatedReplicas"] == two.live()["status"]["availableReplicas"] == 2
    assert current(two.kube, two.name) is None
    newest = audit.entries(two.kube, two.name)[0]
    assert (newest.what, newest.why, newest.outcome) == (f"turnout rollback {two.name}", "it errs", "done")


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


def test_rights_of_an_on_call_role_suffice(two: Stage, tmp_path: Path) -> None:
    role = on_call(two, tmp_path)
    two.turnout("rollback", two.name, "--yes", cwd=tmp_path, kubeconfig=role)
    assert two.variables()["VERSION"] == "one"
    assert audit.entries(two.kube, two.name)[0].who == f"system:serviceaccount:{two.name}:on-call"


OWN_RULES = [
    (["apps"], ["deployments", "statefulsets"], ["get", "list", "watch", "patch"]),
    (["batch"], ["cronjobs"], ["get", "list", "patch"]),
    (["autoscaling"], ["horizontalpodautoscalers"], ["list", "patch", "delete"]),
    (["policy"], ["poddisruptionbudgets"], ["list", "patch", "delete"]),
    (["networking.k8s.io"], ["networkpolicies"], ["list", "patch", "delete"]),
    ([""], ["configmaps"], ["get", "list", "patch"]),
]
CONTROL_RULES = [
    (["coordination.k8s.io"], ["leases"], ["get", "create", "update"]),
    ([""], ["configmaps"], ["get", "list", "create", "update"]),
]


def on_call(stage: Stage, folder: Path) -> Path:
    """A kubeconfig of an account that may do just that, in two namespaces and nowhere else."""
    account = {"kind": "ServiceAccount", "name": "on-call", "namespace": stage.name}
    stage.kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place(stage.name)}, "test")
    for namespace, rules in ((stage.name, OWN_RULES), (stage.control, CONTROL_RULES)):
        rows = [{"apiGroups": groups, "resources": kinds, "verbs": verbs} for groups, kinds, verbs in rules]
        stage.kube.apply(rbac("Role", namespace, rules=rows), "test")
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "on-call"}
        stage.kube.apply(rbac("RoleBinding", namespace, roleRef=reference, subjects=[account]), "test")
    config = yaml.safe_load(stage.kubeconfig.read_text())
    config["users"] = [{"name": row["name"], "user": {"token": token(stage)}} for row in config["users"]]
    file = folder / "on-call.kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


def token(stage: Stage) -> str:
    from cli.kube.requests import Request

    path = f"/api/v1/namespaces/{stage.name}/serviceaccounts/on-call/token"
    body = b'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'
    answer = stage.kube.request(Request("POST", path, "ask for a token", body=body)).json()
    found = str(answer["status"]["token"])
    assert base64.urlsafe_b64decode(found.split(".")[1] + "==")
    return found


def rbac(kind: str, namespace: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": place(namespace), **fields}


def place(namespace: str) -> dict[str, str]:
    return {"name": "on-call", "namespace": namespace}
