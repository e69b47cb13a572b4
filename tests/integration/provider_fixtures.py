"""Fixtures of the provider's integration tests: a provider process, and a namespace of their own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.kube.client import Kube
from cli.kube.config import endpoint
from cli.kube.errors import NotFound
from tests.integration.provider import Engine, Provider, provider

MANAGED = {"pulumi.com/patchFieldManager": "turnout"}


@pytest.fixture(scope="session")
def running(kubeconfig: Path) -> Iterator[Provider]:
    with provider(kubeconfig) as process:
        yield process


@pytest.fixture(scope="session")
def kube(kubeconfig: Path) -> Iterator[Kube]:
    with Kube(endpoint(kubeconfig)) as client:
        yield client


@pytest.fixture(scope="session")
def namespace(kube: Kube) -> Iterator[str]:
    name = f"provider-{os.getpid()}-{secrets.token_hex(2)}"
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "turnout-test")
    yield name
    kube.delete("v1", "Namespace", name)


@pytest.fixture
def engine(running: Provider, namespace: str) -> Engine:
    running.statuses.seen.clear()
    return running.engine(namespace=namespace)


@dataclass
class Live:
    """The cluster's own view of one namespace."""

    kube: Kube
    namespace: str

    def get(self, kind: str, name: str, api_version: str = "v1") -> dict[str, Any]:
        return self.kube.get(api_version, kind, name, self.namespace)

    def is_there(self, kind: str, name: str, api_version: str = "v1") -> bool:
        try:
            self.get(kind, name, api_version)
        except NotFound:
            return False
        return True

    def patch(self, kind: str, name: str, body: dict[str, Any], manager: str, api_version: str = "v1") -> None:
        self.kube.patch(api_version, kind, name, self.namespace, body, manager)


@pytest.fixture
def live(kube: Kube, namespace: str) -> Live:
    return Live(kube, namespace)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": MANAGED}, "data": data}


def service(name: str, *, app: str = "a", label: str = "1") -> dict[str, Any]:
    annotations = {**MANAGED, "pulumi.com/skipAwait": "true"}
    return {
        "metadata": {"name": name, "annotations": annotations, "labels": {"step": label}},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": "http"}]},
    }


def deployment(
    name: str, *, image: str = "turnout.local/busybox:1", replicas: int = 1, **options: Any
) -> dict[str, Any]:
    container = {
        "name": "c",
        "image": image,
        "command": options.get("command", ["sleep", "3600"]),
        "env": [{"name": key, "value": value} for key, value in options.get("env", {}).items()],
    }
    if probe := options.get("probe"):
        container["readinessProbe"] = {"exec": {"command": probe}, "periodSeconds": 1, "timeoutSeconds": 10}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    return {
        "metadata": {"name": name, "annotations": {**MANAGED, **options.get("annotations", {})}},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": options.get("deadline", 60),
            "minReadySeconds": options.get("min_ready", 0),
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        },
    }
