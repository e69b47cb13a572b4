"""The roles on a real API server: each may run its commands, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.kube import client
from cli.kube.client import Kube
from cli.kube.errors import Forbidden
from cli.rollout import audit, releases, rights
from cli.rollout.where import Cluster
from components.access.rights import ROLES, RoleName
from tests.integration import accounts
from tests.integration.stage import Stage, staged

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def stage(kubeconfig: Path) -> Iterator[Stage]:
    with staged(kubeconfig) as made:
        others = [f"{made.name}-monitoring", f"{made.name}-agents"]
        try:
            for name in others:
                made.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "test")
            yield made
        finally:
            accounts.remove_cluster_roles(made.kube, made.name)
            for name in others:
                made.kube.delete("v1", "Namespace", name)


def as_role(stage: Stage, role: RoleName, folder: Path) -> Path:
    return accounts.with_role(stage.kube, stage.name, role, stage.kubeconfig, folder)


def connected(file: Path) -> Kube:
    return client.connect(Cluster(file, None))


@pytest.mark.parametrize("role", ROLES)
def test_role_may_run_its_commands_and_no_others(stage: Stage, tmp_path: Path, role: RoleName) -> None:
    with connected(as_role(stage, role, tmp_path)) as kube:
        found = rights.possible(kube, stage.name)
    assert {command for command, lacking in found.items() if not lacking} == set(ROLES[role])


def test_on_call_rolls_back_and_does_nothing_more(stage: Stage, tmp_path: Path) -> None:
    for version in ("one", "two"):
        stage.release(version)
    with releases.attempt(stage.kube, stage.name, kind="up") as attempt:
        attempt.succeeded(stage.release("two"))
    secret: dict[str, Any] = {"metadata": {"name": "password", "namespace": stage.name}, "stringData": {"p": "x"}}
    stage.kube.create({"apiVersion": "v1", "kind": "Secret", **secret}, "test")
    file = as_role(stage, "on-call", tmp_path)
    stage.turnout("rollback", stage.name, "--yes", cwd=tmp_path, kubeconfig=file)
    assert stage.variables()["VERSION"] == "one"
    assert audit.entries(stage.kube, stage.name)[0].who == f"system:serviceaccount:{stage.name}:on-call"
    with connected(file) as kube:
        for refused in (
            lambda: kube.get("v1", "Secret", "password", stage.name),
            lambda: kube.list("v1", "Secret", stage.control),
            lambda: kube.delete("apps/v1", "Deployment", "web-a", stage.name),
            lambda: kube.delete("v1", "ConfigMap", "releases", stage.control),
            lambda: kube.create({"apiVersion": "v1", "kind": "Secret", **secret}, "test"),
            lambda: kube.delete("v1", "Namespace", stage.name),
        ):
            with pytest.raises(Forbidden):
                refused()


def test_viewer_sees_all_and_hears_what_a_rollback_takes(stage: Stage, tmp_path: Path) -> None:
    stage.release("one")
    stage.release("two")
    file = as_role(stage, "viewer", tmp_path)
    seen = stage.turnout("status", stage.name, "--json", cwd=tmp_path, kubeconfig=file)
    assert json.loads(seen.stdout)["environment"] == stage.name
    stage.turnout("rollout", "status", stage.name, cwd=tmp_path, kubeconfig=file)
    asked = ("rollback", stage.name, "--to", "1", "--yes")
    refused = stage.turnout(*asked, cwd=tmp_path, kubeconfig=file, expect=1)
    assert f"the right to update leases.coordination.k8s.io in {stage.control} is missing" in refused.stderr
    assert "ask for the role on-call (or deployer)" in refused.stderr
    assert stage.variables()["VERSION"] == "two"


def test_doctor_names_what_a_viewer_lacks(stage: Stage, tmp_path: Path) -> None:
    file = as_role(stage, "viewer", tmp_path)
    done = stage.turnout("doctor", stage.name, "--json", cwd=tmp_path, kubeconfig=file)
    [check] = [check for check in json.loads(done.stdout) if check["name"] == "rights"]
    assert check["verdict"] == "warning"
    let, lacking = (part.partition("for ")[2].split(", ") for part in check["found"].split(": ")[0].split("; "))
    assert {"status", "drift"} <= {*let}
    assert {"approve", "rollback", "drift --revert", "rollout start"} <= {*lacking}
    assert "turnout-approver" in check["fix"]
