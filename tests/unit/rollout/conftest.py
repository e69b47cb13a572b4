"""An API server in memory behind the real client: enough of resourceVersion, selectors and apply for these tests.

`world` is a rollout's, on that server (see `driven`).
"""

from __future__ import annotations

import base64
import copy
import gzip
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from cli.gates import watching
from cli.kube.client import Kube
from cli.kube.config import Endpoint
from cli.rollout import doing, drive, wait
from cli.rollout.moves import ROUTE
from tests.unit.rollout.driven import Gates, NoWatcher, World, said

Object = dict[str, Any]
_PATH = re.compile(
    r"^/apis?/(?P<version>v1|[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?$"
)
_GROUP = re.compile(r"^/apis/[^/]+/[^/]+$")
_ROUTES = {
    "groupVersion": ROUTE,
    "resources": [{"name": "httproutes", "kind": "HTTPRoute", "namespaced": True, "verbs": ["get", "patch"]}],
}


class Cluster:
    """Objects by (namespace, plural, name); `now` is the server's clock, `log` every write in order."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.namespaces = {"dev"}
        self.now = "2026-01-01T00:00:00Z"
        self.log: list[str] = []
        self.dry: list[str] = []
        self.before_write: list[Any] = []
        self.allows = True
        self._versions = itertools.count(1)

    def put(self, obj: Object, plural: str) -> Object:
        stored = copy.deepcopy(obj)
        metadata = stored["metadata"]
        metadata["resourceVersion"] = str(next(self._versions))
        metadata.setdefault("creationTimestamp", self.now)
        metadata.setdefault("generation", 1)
        self.namespaces.add(metadata.get("namespace", ""))
        self.objects[metadata.get("namespace", ""), plural, metadata["name"]] = stored
        return stored

    def find(self, plural: str, name: str, namespace: str = "dev") -> Object:
        return self.objects[namespace, plural, name]

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("selfsubjectreviews"):
            review = {"metadata": {"creationTimestamp": self.now}, "status": {"userInfo": {"username": "anna"}}}
            return httpx2.Response(201, json=review)
        if "/proxy/" in request.url.path:
            return self.proxied(request)
        if _GROUP.match(request.url.path):
            found = _ROUTES if request.url.path.endswith(ROUTE) else None
            return httpx2.Response(200, json=found) if found else _status(404, "NotFound")
        if request.url.path.endswith("selfsubjectaccessreviews"):
            return httpx2.Response(201, json={"status": {"allowed": self.allows}})
        match = _PATH.match(request.url.path)
        assert match, request.url.path
        place = (match["namespace"] or "", match["plural"], match["name"] or "")
        if request.method == "GET":
            return self._get(request, place)
        return self._write(request, place)

    def proxied(self, request: httpx2.Request) -> httpx2.Response:  # noqa: ARG002
        """What a pod says that is asked through the API server."""
        return httpx2.Response(200, text="ok")

    def _get(self, request: httpx2.Request, place: tuple[str, str, str]) -> httpx2.Response:
        namespace, plural, name = place
        if name:
            found = self.objects.get(place)
            return httpx2.Response(200, json=found) if found else _status(404, "NotFound")
        wanted = dict(part.split("=", 1) for part in request.url.params.get("labelSelector", "").split(",") if part)
        rows = [
            obj
            for (space, kind, _), obj in self.objects.items()
            if kind == plural
            and (not namespace or space == namespace)
            and wanted.items() <= (obj["metadata"].get("labels") or {}).items()
        ]
        return httpx2.Response(200, json={"items": rows, "metadata": {"resourceVersion": "1"}})

    def _write(self, request: httpx2.Request, place: tuple[str, str, str]) -> httpx2.Response:
        for hook in self.before_write:
            hook(request)
        namespace, plural, name = place
        body = json.loads(request.content or b"{}")
        if request.method == "POST":
            name = body["metadata"]["name"]
        if plural == "namespaces":
            self.namespaces.add(name)
        elif namespace not in self.namespaces:
            return _status(404, "NotFound")
        current = self.objects.get((namespace, plural, name))
        if request.url.params.get("dryRun"):
            self.dry.append(f"{plural}/{name}")
            return httpx2.Response(200, json=body)
        if request.method == "POST" and current:
            return _status(409, "AlreadyExists")
        if request.method in ("PUT", "DELETE") and current is None:
            return _status(404, "NotFound")
        version = body.get("metadata", {}).get("resourceVersion") if isinstance(body, dict) else None
        if (
            request.method in ("PUT", "PATCH")
            and version
            and current
            and version != current["metadata"]["resourceVersion"]
        ):
            return _status(409, "Conflict")
        self.log.append(f"{_verb(request)} {plural}/{name}")
        if request.method == "DELETE":
            return httpx2.Response(200, json=self.objects.pop((namespace, plural, name)))
        new = _merged(copy.deepcopy(current or {}), body, request.method)
        if request.method == "PATCH" and current:
            new["metadata"]["generation"] = current["metadata"]["generation"] + 1
        return httpx2.Response(200, json=self.put(new, plural))


def _merged(current: Object, body: Any, method: str) -> Object:
    if method != "PATCH" or not isinstance(body, dict):
        return body if isinstance(body, dict) else current
    merged = {**current}
    for key, value in body.items():
        known = current.get(key)
        merged[key] = _merged(known, value, method) if isinstance(value, dict) and isinstance(known, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


def _verb(request: httpx2.Request) -> str:
    kind = request.headers.get("content-type", "")
    return "apply" if "apply-patch" in kind else request.method.lower()


def _status(code: int, reason: str) -> httpx2.Response:
    return httpx2.Response(code, json={"kind": "Status", "code": code, "reason": reason, "message": reason})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def kube(cluster: Cluster) -> Iterator[Kube]:
    with Kube(
        Endpoint("http://api", "default", "test", None, None), transport=httpx2.MockTransport(cluster.answer)
    ) as kube:
        yield kube


def images_of(workload: Object) -> list[str]:
    pod = workload["spec"].get("template", {}).get("spec", {})
    return [container["image"] for container in pod.get("containers", ()) if "image" in container]


def record_maps(
    name: str, objects: list[Object], environment: str = "dev", schema: int = 1, pieces: int = 1
) -> list[Object]:
    """A release record as the program writes it."""
    workloads = [
        {"name": row["metadata"]["labels"]["app.kubernetes.io/name"], "kind": row["kind"], "namespace": "dev"}
        | {"object": row["metadata"]["name"], "images": images_of(row)}
        for row in objects
        if row["kind"] in ("Deployment", "CronJob")
    ]
    document = {"schema": schema, "environment": environment, "objects": objects, "workloads": workloads, "pulumi": {}}
    packed = gzip.compress(json.dumps(document).encode())
    size = -(-len(packed) // pieces)
    names = [name] if pieces == 1 else [f"{name}.{index}" for index in range(pieces)]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": piece,
                "namespace": f"turnout-{environment}",
                "labels": {"turnout.dev/kind": "release-record", "turnout.dev/environment": environment},
                "annotations": {"turnout.dev/schema": str(schema), "turnout.dev/pieces": str(pieces)},
            },
            "binaryData": {"record": base64.b64encode(packed[index * size : (index + 1) * size]).decode()},
        }
        for index, piece in enumerate(names)
    ]


def labels(workload: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": workload,
        "app.kubernetes.io/part-of": "app",
        "turnout.dev/environment": "dev",
        "turnout.dev/component": "app",
    }


def deployment(workload: str, version: str, *, config: str = "", env: dict[str, str] | None = None) -> Object:
    """A Deployment as it is recorded."""
    container: Object = {"name": workload, "image": f"{workload}:{version}"}
    container["env"] = [{"name": key, "value": value} for key, value in (env or {}).items()]
    pod: Object = {"containers": [container]}
    if config:
        pod["volumes"] = [{"name": "config", "configMap": {"name": config}}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{workload}-a", "namespace": "dev", "labels": labels(workload)},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": labels(workload)}, "spec": pod}},
    }


def job(workload: str, version: str) -> Object:
    """The Job of a part that runs once, under a name of its own for each content."""
    metadata = {"name": f"{workload}-{version}", "namespace": "dev", "labels": labels(workload)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}


def config_map(name: str, workload: str = "api", **data: str) -> Object:
    metadata = {"name": name, "namespace": "dev", "labels": labels(workload)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "immutable": True, "data": data}


def ready(obj: Object) -> Object:
    """A Deployment whose controller is done with it."""
    count = obj["spec"]["replicas"]
    status = {"observedGeneration": 1} | dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), count)
    return {**obj, "status": status}


@pytest.fixture
def make() -> SimpleNamespace:
    """Builders of manifests and records."""
    return SimpleNamespace(
        record=record_maps, deployment=deployment, job=job, config_map=config_map, ready=ready, labels=labels
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for, no pod fails, and every gate passes."""
    monkeypatch.setattr(drive, "Watcher", NoWatcher)
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    monkeypatch.setattr(watching, "look", said("pass"))
    monkeypatch.setattr(doing, "PREVIEW", 0.0)


@pytest.fixture
def world(quick: None, cluster: Cluster, kube: Kube, make: SimpleNamespace, tmp_path: Path) -> World:  # noqa: ARG001
    """Release 1 serves."""
    made = World(cluster, kube, make, tmp_path)
    made.describe("1")
    made.start()
    assert made.copies("api-a") == 4
    made.held.clear()
    return made


@pytest.fixture
def gates(quick: None, monkeypatch: pytest.MonkeyPatch) -> Gates:  # noqa: ARG001
    """What gates are asked about, and what they answer: all is well, unless a test wants it otherwise."""
    made = Gates()
    monkeypatch.setattr(watching, "look", made)
    return made
