"""Every object of every environment passes the real API server's strict validation, and its pods its Pod Security."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.engine.graph import ResourceGraph
from cli.engine.render import render
from cli.kube.client import Kube, connect
from cli.kube.errors import AlreadyExists, KubeError
from cli.kube.requests import Write
from infra.cluster import Cluster
from infra.program import hermetic

ROOT = Path(__file__).parents[2]
TIERS = ("dev", "staging", "prod")
pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Checked:
    """One environment, rendered under a name of its own, with its namespaces and accounts made for real."""

    graph: ResourceGraph
    kube: Kube

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [_whole(resource.reveal()) for resource in self.graph.resources if resource.is_kubernetes]

    def refusals(self, objects: list[dict[str, Any]]) -> list[str]:
        return [found for item in objects if (found := self._refusal(item))]

    def _refusal(self, item: dict[str, Any]) -> str:
        try:
            self.kube.run(self.kube.server.create(item, Write("turnout-test", dry_run=True, strict=True)))
        except AlreadyExists:
            return ""  # what all environments of a cluster share
        except KubeError as error:
            return f"{item['kind']} {item['metadata'].get('name')}: {error}"
        return ""


@pytest.fixture(scope="module", params=TIERS)
def checked(
    request: pytest.FixtureRequest, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checked]:
    name = f"check-{request.param}-{time.time_ns() % 10**6}"
    graph = render(_project(tmp_path_factory.mktemp(request.param), request.param, name), name, program=hermetic)
    with connect(Cluster(kubeconfig, None)) as kube:
        checked = Checked(graph, kube)
        namespaces = [item for item in checked.objects if item["kind"] == "Namespace"]
        try:
            for kind in ("Namespace", "ServiceAccount"):
                for item in checked.objects:
                    if item["kind"] == kind:
                        kube.create(item, "turnout-test")
            yield checked
        finally:
            for item in namespaces:
                kube.delete("v1", "Namespace", item["metadata"]["name"])


def test_every_object_is_valid(checked: Checked) -> None:
    made_for_real = {"Namespace", "ServiceAccount"}
    assert not checked.refusals([item for item in checked.objects if item["kind"] not in made_for_real])


def test_every_pod_is_admitted_by_its_namespace(checked: Checked) -> None:
    pods = [_pod(item) for item in checked.objects if item["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}]
    assert len(pods) >= 8
    assert not checked.refusals(pods)


def test_pod_security_is_enforced(checked: Checked) -> None:
    api = next(
        _pod(item) for item in checked.objects if item["metadata"]["name"] == "api-a" and item["kind"] == "Deployment"
    )
    api["spec"] = {**api["spec"], "securityContext": {}}
    [refusal] = checked.refusals([api])
    assert "violates PodSecurity" in refusal


def _project(folder: Path, tier: str, name: str) -> Path:
    """A project folder whose one environment has the settings of `tier` and a name that collides with nothing."""
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    settings = (ROOT / f"Pulumi.{tier}.yaml").read_text()
    named = re.sub(r"(turnout:cluster:\n)", rf"\1    tier: {tier}\n", settings)
    (folder / f"Pulumi.{name}.yaml").write_text(named)
    return folder


def _whole(value: Any) -> Any:
    """The value with its whole numbers as such: the engine's protocol knows only floating point."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _pod(controller: dict[str, Any]) -> dict[str, Any]:
    """A pod as the controller would make it, less the claims that do not exist."""
    template = controller["spec"]["template"]
    metadata = {**template["metadata"], "name": controller["metadata"]["name"]}
    metadata["namespace"] = controller["metadata"]["namespace"]
    claims = [
        {"name": item["metadata"]["name"], "emptyDir": {}}
        for item in controller["spec"].get("volumeClaimTemplates", [])
    ]
    spec = {**template["spec"], "volumes": [*template["spec"].get("volumes", []), *claims]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
