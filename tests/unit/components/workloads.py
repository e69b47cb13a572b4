"""A workload with a bit of everything, for tests."""

from __future__ import annotations

from typing import Any

from components.environment import Namespaces, Placement
from components.manifest import Manifest
from components.secret import Secret
from components.workload import (
    Accepts,
    Calls,
    ConfigFiles,
    Outside,
    Port,
    Probe,
    Probes,
    Resources,
    SecretFiles,
    Workloads,
    WorkloadSpec,
)

PLACEMENT = Placement(
    environment="dev", tier="dev", namespaces=Namespaces.of("dev"), stack="app", component="app", api_ports=(443, 6443)
)


def service(**changes: Any) -> WorkloadSpec:
    """A tracked service of three copies; `changes` replace its fields."""
    usual: dict[str, Any] = {
        "name": "api",
        "image": "example/api:1",
        "ports": (Port(name="http", number=8080), Port(name="metrics", number=9090, served=False)),
        "config": (ConfigFiles(path="/etc/api", files={"api.yaml": "a: 1\n"}),),
        "secrets": (SecretFiles(path="/etc/secrets/db", files={"password": Secret("hunter2")}),),
        "replicas": 3,
        "resources": Resources(cpu=50, memory=64, memory_limit=128),
        "probes": Probes(readiness=Probe(port="http", path="/readyz")),
        "accepts": (
            Accepts(source=Workloads(name="gateway"), ports=("http",)),
            Accepts(source=Workloads(name="prometheus", stack="monitoring"), ports=("metrics",)),
        ),
        "calls": (Calls(target=Workloads(name="postgres"), ports=(5432,)), Calls(target=Outside(), ports=(443,))),
        "tracked": True,
    }
    return WorkloadSpec(**{**usual, **changes})


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only manifest of that kind."""
    [found] = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found
