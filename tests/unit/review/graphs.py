"""Resource graphs written by hand."""

from __future__ import annotations

from typing import Any

from cli.engine.graph import Options, Resource, ResourceGraph
from cli.review import wire

STACK = "urn:pulumi:prod::turnout"


def resource(
    name: str,
    inputs: dict[str, Any],
    *,
    kind: str = "apps/v1:Deployment",
    chain: str = "",
    parent: str = "",
    secret: tuple[str, ...] = (),
    provider: str = "",
    token: str = "",
    **options: Any,
) -> Resource:
    """One object; `kind` is its type without `kubernetes:`, `chain` the types around it."""
    token = token or f"kubernetes:{kind}"
    return Resource(
        urn=f"{STACK}::{chain + '$' if chain else ''}{token}::{name}",
        type=token,
        name=name,
        parent=parent,
        custom=True,
        inputs=wire.sealed(inputs, secret),
        dependencies=(),
        property_dependencies={},
        provider=provider,
        options=Options(**options),
        secret_paths=secret,
        _plain=inputs,
    )


def component(name: str, token: str = "turnout:workload:Workload", **options: Any) -> Resource:
    return Resource(f"{STACK}::{token}::{name}", token, name, "", False, {}, (), {}, "", Options(**options))


def graph(*resources: Resource) -> ResourceGraph:
    return ResourceGraph("prod", resources, {})


def deployment(name: str = "api", **spec: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "app"}
    container = {
        "name": name,
        "image": "example/api:1",
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "prod", "labels": labels},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def config_map(name: str, data: dict[str, str], *, content: str = "", labels: Any = None) -> dict[str, Any]:
    marked = {**(labels or {}), **({"turnout.dev/content": content} if content else {})}
    whole = f"{name}-{content}" if content else name
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": whole, "namespace": "prod", "labels": marked},
        "data": data,
        "immutable": True,
    }


def secret(name: str, value: str, content: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{name}-{content}", "namespace": "prod", "labels": {"turnout.dev/content": content}},
        "stringData": {"password": value},
        "immutable": True,
    }
