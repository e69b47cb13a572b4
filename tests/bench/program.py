"""The synthetic environment: triples of ConfigMap, Deployment and Service, or ConfigMaps alone, in one namespace.

The same objects are declared by a Pulumi program (inline and under plain `pulumi`) and written out for kubectl.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cli.provider import VERSION

Object = dict[str, Any]

OWNED = {"pulumi.com/patchFieldManager": "turnout"}


@dataclass(frozen=True)
class Shape:
    """How much there is of what. `resources` counts as Pulumi does: with the namespace and the stack."""

    namespace: str
    triples: int = 0
    plain: int = 0

    @property
    def resources(self) -> int:
        return 3 * self.triples + self.plain + 2


def objects(shape: Shape) -> list[Object]:
    """Everything in the order in which it may be made; the namespace first."""
    made = [_object("v1", "Namespace", shape.namespace, {}, "")]
    for number in range(shape.triples):
        made += _triple(f"app-{number:04}", shape.namespace)
    made += [_config_map(f"plain-{number:04}", shape.namespace) for number in range(shape.plain)]
    return made


def program() -> None:
    """Declares the shape that the stack's settings name."""
    import pulumi

    settings = pulumi.Config("bench")
    shape = Shape(settings.require("namespace"), settings.require_int("triples"), settings.require_int("plain"))
    namespace, *rest = objects(shape)
    declared = _declare(namespace, [])
    for one in rest:
        _declare(one, [declared])


def _declare(manifest: Object, after: list[Any]) -> Any:
    import pulumi

    version, kind = manifest["apiVersion"], manifest["kind"]
    token = f"kubernetes:{version if '/' in version else f'core/{version}'}:{kind}"
    name = f"{kind}-{manifest['metadata']['name']}"
    return pulumi.CustomResource(token, name, manifest, pulumi.ResourceOptions(depends_on=after, version=VERSION))


def _triple(name: str, namespace: str) -> list[Object]:
    labels = {"app.kubernetes.io/name": name}
    container = {
        "name": "main",
        "image": f"registry.invalid/{name}:1.0.0",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "north"}],
        "envFrom": [{"configMapRef": {"name": name}}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}}
    service = {"spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}
    return [
        _config_map(name, namespace),
        _object("apps/v1", "Deployment", name, deployment, namespace),
        _object("v1", "Service", name, service, namespace),
    ]


def _config_map(name: str, namespace: str) -> Object:
    data = {
        "settings.yaml": f"name: {name}\n" + "".join(f"option_{n}: value {n}\n" for n in range(20)),
        "colour": "red",
    }
    return _object("v1", "ConfigMap", name, {"data": data}, namespace)


def _object(version: str, kind: str, name: str, body: Object, namespace: str) -> Object:
    metadata: Object = {"name": name, "annotations": dict(OWNED)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
