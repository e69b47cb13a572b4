"""What the soak's program asks for, as data: about twenty objects of many kinds, in variants.

Read by the program, which declares them, and by the comparison, which looks for them in the cluster.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

KEY: Final = "soak.turnout.dev/key"
"""The label with a resource's name in the program: two objects with one key are one made twice."""

REFERENCE: Final = "$name of "
"""Stands for the name that another resource got: only the running program knows it."""

IMAGE: Final = "turnout.local/busybox:1"
_NO_WAIT: Final = {"pulumi.com/skipAwait": "true"}

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """One variant. `revision` changes objects in place, `content` replaces them, `extras` adds some."""

    revision: int = 0
    content: int = 0
    extras: bool = False
    deployed: bool = True

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Shape:
        return cls(**data)


@dataclass(frozen=True)
class Wanted:
    """One resource: a manifest without a name gets one from the provider."""

    key: str
    manifest: Manifest
    after: tuple[str, ...] = ()
    bundled: bool = False

    @property
    def kind(self) -> str:
        return str(self.manifest["kind"])

    @property
    def name(self) -> str | None:
        """None: the provider names it."""
        named: str | None = self.manifest["metadata"].get("name")
        return named


def wanted(shape: Shape, namespace: str) -> tuple[Wanted, ...]:
    """Every resource of a variant, each after those that it depends on."""
    if not shape.deployed:
        return ()
    found = [*_configuration(shape), *_access(shape), *_workloads(shape)]
    if shape.extras:
        found += _extras(shape)
    for entry in found:
        metadata = entry.manifest["metadata"]
        metadata["namespace"] = namespace
        metadata["labels"] = {KEY: entry.key, **metadata.get("labels", {})}
        metadata["annotations"] = {
            "soak.turnout.dev/revision": str(shape.revision),
            "pulumi.com/patchFieldManager": "turnout",
            **metadata.get("annotations", {}),
        }
    return tuple(found)


def _configuration(shape: Shape) -> Iterator[Wanted]:
    data = {"content": f"content {shape.content}"}
    yield Wanted("settings", _object("v1", "ConfigMap", data=data))
    yield Wanted("named-settings", _object("v1", "ConfigMap", "named-settings", data=data), after=("settings",))
    yield Wanted("token", _secret(None, shape))
    yield Wanted("named-token", _secret("named-token", shape), after=("token",))
    yield Wanted("first", _object("v1", "ConfigMap", data=data), bundled=True)
    yield Wanted("second", _object("v1", "ConfigMap", "second", data=data), after=("first",), bundled=True)
    yield Wanted("quota", _object("v1", "ResourceQuota", "quota", spec={"hard": {"pods": str(50 + shape.revision)}}))


def _access(shape: Shape) -> Iterator[Wanted]:
    verbs = ["get", "list", "watch"][: 1 + shape.revision % 3]
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]
    subjects = [{"kind": "ServiceAccount", "name": "runner"}]
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "Role", "name": f"reader-{shape.content % 2}"}
    yield Wanted("runner", _object("v1", "ServiceAccount", "runner"))
    yield Wanted("reader", _object(f"{group}/v1", "Role", "reader", rules=rules))
    yield Wanted(
        "binding",
        _object(f"{group}/v1", "RoleBinding", "binding", roleRef=role, subjects=subjects),
        after=("runner", "reader"),
    )


def _workloads(shape: Shape) -> Iterator[Wanted]:
    port = {"port": 80 + shape.revision, "targetPort": 8080}
    yield Wanted("worker", _deployment("worker", "worker", shape, replicas=1), after=("runner", "settings"))
    yield Wanted("asleep", _deployment(None, f"asleep-{shape.content}", shape, replicas=0), after=("token",))
    service = {"selector": {"app": "worker"}, "ports": [port]}
    yield Wanted("front", _object("v1", "Service", "front", spec=service), after=("worker",))
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    yield Wanted("data", _object("v1", "PersistentVolumeClaim", "data", annotations=_NO_WAIT, spec=claim))
    yield Wanted("once", _job(shape), after=("runner",))
    budget = {"maxUnavailable": 1 + shape.revision % 2, "selector": {"matchLabels": {"app": "worker"}}}
    yield Wanted("budget", _object("policy/v1", "PodDisruptionBudget", "budget", spec=budget))


def _extras(shape: Shape) -> Iterator[Wanted]:
    data = {"content": f"extra {shape.content}"}
    yield Wanted("extra-settings", _object("v1", "ConfigMap", data=data))
    yield Wanted("extra-named", _object("v1", "ConfigMap", "extra-named", data=data), after=("extra-settings",))
    yield Wanted("extra-token", _secret(None, shape))
    yield Wanted("extra-runner", _object("v1", "ServiceAccount", "extra-runner"), after=("extra-named",))
    yield Wanted("extra-asleep", _deployment("extra-asleep", "extra", shape, replicas=0), after=("extra-settings",))
    service = {"clusterIP": "None", "selector": {"app": "nobody"}, "ports": [{"port": 80}]}
    yield Wanted("extra-front", _object("v1", "Service", annotations=_NO_WAIT, spec=service))
    policy = {"podSelector": {"matchLabels": {"app": "extra"}}, "policyTypes": ["Ingress"]}
    yield Wanted("extra-policy", _object("networking.k8s.io/v1", "NetworkPolicy", "extra-policy", spec=policy))


def _deployment(name: str | None, app: str, shape: Shape, *, replicas: int) -> Manifest:
    source = "extra-settings" if name == "extra-asleep" else "settings"
    container = {
        "name": "main",
        "image": IMAGE,
        "command": ["sleep", "3600"],
        "env": [
            {"name": "REVISION", "value": str(shape.revision)},
            {"name": "SETTINGS", "value": f"{REFERENCE}{source}"},
        ],
    }
    template = {
        "metadata": {"labels": {"app": app}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": app}}, "template": template}
    return _object("apps/v1", "Deployment", name, spec=spec)


def _job(shape: Shape) -> Manifest:
    container = {"name": "main", "image": IMAGE, "command": ["true", f"content {shape.content}"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return _object("batch/v1", "Job", "once", spec={"template": template})


def _secret(name: str | None, shape: Shape) -> Manifest:
    value = base64.b64encode(f"hidden {shape.content}".encode()).decode()
    return _object("v1", "Secret", name, data={"token": value})


def _object(
    api_version: str, kind: str, name: str | None = None, *, annotations: Mapping[str, str] | None = None, **body: Any
) -> Manifest:
    metadata: dict[str, Any] = {"name": name} if name else {}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}
