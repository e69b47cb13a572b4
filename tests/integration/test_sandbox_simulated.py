"""A sandbox with simulated pods, which needs neither root nor Linux: workloads become ready, jobs complete, claims are
bound, and nothing is left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from cli.kube.client import Kube
from cli.paths import sandbox_dir
from cli.progress import Silent
from cli.sandbox import api, cluster
from cli.sandbox.layout import Layout
from cli.sandbox.processes import start_time
from cli.sandbox.status import status
from tests.harness import eventually, turnout

pytestmark = pytest.mark.cluster

NAME = f"sim{os.getpid()}"
MANAGER = "test"
LABELS = {"name": "web"}


@pytest.fixture(scope="module")
def own() -> Iterator[Layout]:
    try:
        turnout("sandbox", "up", NAME, "--pods", "simulated", timeout=1800)
        yield Layout(NAME)
    finally:
        cluster.down(NAME, Silent())


@pytest.fixture(scope="module")
def kube(own: Layout) -> Iterator[Kube]:
    with api.client(own) as client:
        eventually(lambda: client.find("v1", "ServiceAccount", "default", "default"), every=0.1)
        yield client


def test_a_deployment_becomes_available_and_its_service_has_endpoints(kube: Kube) -> None:
    template = {"metadata": {"labels": LABELS}, "spec": pod()}
    spec = {"replicas": 3, "selector": {"matchLabels": LABELS}, "template": template}
    kube.apply(thing("apps/v1", "Deployment", "web", spec), MANAGER)
    kube.apply(thing("v1", "Service", "web", {"selector": LABELS, "ports": [{"port": 80}]}), MANAGER)

    def served() -> bool:
        slices = kube.list("discovery.k8s.io/v1", "EndpointSlice", "default", labels="kubernetes.io/service-name=web")
        return sum(len(each["endpoints"] or []) for each in slices) == 3

    eventually(served, every=0.1)
    eventually(lambda: _available(kube, "web") == 3, every=0.1)


def test_a_job_completes(kube: Kube) -> None:
    spec = {"template": {"spec": {**pod(), "restartPolicy": "Never"}}}
    kube.apply(thing("batch/v1", "Job", "once", spec), MANAGER)
    eventually(lambda: kube.get("batch/v1", "Job", "once", "default")["status"].get("succeeded"), every=0.1)


def test_a_claim_is_bound_and_its_volume_goes_with_it(own: Layout, kube: Kube) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    kube.apply(thing("v1", "PersistentVolumeClaim", "data", claim), MANAGER)
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    kube.apply(thing("v1", "Pod", "writer", {**pod(), "volumes": [volume]}), MANAGER)

    def bound() -> bool:
        return bool(kube.get("v1", "PersistentVolumeClaim", "data", "default")["status"]["phase"] == "Bound")

    eventually(bound, every=0.1)
    assert [*own.volumes.iterdir()]
    kube.delete("v1", "Pod", "writer", "default")
    kube.delete("v1", "PersistentVolumeClaim", "data", "default")
    eventually(lambda: not [*own.volumes.iterdir()], every=0.1)


def test_the_api_server_listens_on_loopback_only(own: Layout) -> None:
    settings = own.settings()
    assert settings
    assert settings.server.startswith("https://127.0.0.1:")


def test_a_second_up_changes_nothing_and_one_after_a_kill_starts_what_is_missing(own: Layout) -> None:
    assert up()["started"] is False
    settings = own.settings()
    assert settings
    cluster.supervisor(own, settings).kill(["kwok", "kube-scheduler"])
    assert "kube-scheduler, kwok do not run" in status(NAME).problem
    assert up()["started"] is True
    assert status(NAME).problem == ""


def test_real_pods_cannot_be_had_of_it() -> None:
    assert "has simulated pods" in turnout("sandbox", "up", NAME, "--pods", "real", expect=2).stderr


def test_down_leaves_nothing() -> None:
    programs = [program.pid for program in status(NAME).programs]
    turnout("sandbox", "down", NAME)
    assert not sandbox_dir(NAME).exists()
    assert [pid for pid in programs if pid and start_time(pid)] == []


def up() -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(turnout("sandbox", "up", NAME, "--json").stdout)
    return answer


def thing(api_version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": {}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def pod() -> dict[str, Any]:
    return {"containers": [{"name": "main", "image": "any"}]}


def _available(kube: Kube, name: str) -> int:
    """Told after the endpoints are: status comes from the pods by way of the ReplicaSet."""
    return int(kube.get("apps/v1", "Deployment", name, "default")["status"].get("availableReplicas", 0))
