"""Plans made of plain objects, for the tests of what they put at risk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cli.engine import values
from cli.engine.model import Change, FieldChange, Operation, Plan
from cli.review.judge import judge
from infra.settings import Settings, load

Manifest = dict[str, Any]


Told = tuple[str, str]
"""A reason's code and sentence."""


def made(
    kind: str, name: str, spec: Mapping[str, Any] | None = None, /, namespace: str = "shop", **more: Any
) -> Manifest:
    """An object; its API's version does not matter to any judgement."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    body = {"spec": dict(spec)} if spec is not None else {}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **body, **more}


def change(before: Manifest | None, after: Manifest | None, operation: Operation | None = None) -> Change:
    """Of one object, with the fields that differ."""
    there = after or before or {}
    metadata, kind = there["metadata"], there["kind"]
    name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    done = operation or (
        Operation.CREATE if before is None else Operation.DELETE if after is None else Operation.UPDATE
    )
    differing = values.differences(before, after) if before and after else []
    return Change(
        urn=urn(there),
        type=f"kubernetes:core/v1:{kind}",
        name=name,
        operation=done,
        fields=tuple(FieldChange(values.format_path(path), left, right) for path, left, right in differing),
        before=before or {},
        after=after or {},
    )


def replaced(before: Manifest, after: Manifest) -> Change:
    return change(before, after, Operation.REPLACE)


def told(*changes: Change, beside: Iterable[Manifest] = ()) -> list[Told]:
    """What is said of them, the worst first."""
    return [(reason.code, reason.text) for reason in judge(plan(*changes, beside=beside)).reasons]


def pods(name: str = "api", /, **pod: Any) -> Manifest:
    """A template whose pods are closed as Pod Security asks, and that a Service finds by `app`; `pod` changes that."""
    containers = pod.pop("containers", None) or [container()]
    closed = {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return {"metadata": {"labels": {"app": name}}, "spec": {**closed, **pod, "containers": containers}}


def container(name: str = "app", /, *, context: Mapping[str, Any] | None = None, **more: Any) -> Manifest:
    closed = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    image = "shop@sha256:" + 64 * "1"
    return {"name": name, "image": image, "securityContext": {**closed, **(context or {})}, **more}


def running(kind: str = "Deployment", name: str = "api", /, template: Manifest | None = None, **spec: Any) -> Manifest:
    return made(kind, name, {"replicas": 2, "template": template or pods(name), **spec})


def service(name: str = "api", /, **spec: Any) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    return made("Service", name, {"selector": {"app": name}, "ports": ports, **spec})


def urn(there: Manifest) -> str:
    return f"urn:{there['kind']}:{there['metadata']['name']}"


def plan(*changes: Change, beside: Iterable[Manifest] = ()) -> Plan:
    """`beside`: what is declared and does not change."""
    declared = (*(one.after for one in changes if one.after), *beside)
    return Plan("prod", changes, {}, 0.1, "engine", "provider", declared=declared)


@cache
def prod() -> Settings:
    """Prod's settings, with a canary and a job after which there is no way back."""
    text = (Path(__file__).parents[3] / "Pulumi.prod.yaml").read_text()
    canary = "      api:\n        rollout: { strategy: canary }\n"
    migration = "    jobs:\n      migrate:\n        reversible: false\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Pulumi.prod.yaml"
        file.write_text(text.replace("      api:\n", canary).replace("    jobs:\n", migration))
        return load(file, "prod", placeholders=True)
