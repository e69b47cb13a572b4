"""The soak's Pulumi program: declares what `shape.json` in the project's folder asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi

from cli.engine.settle import type_token
from cli.provider import VERSION
from tests.soak.desired import REFERENCE, Shape, Wanted, wanted

SHAPE_FILE = "shape.json"


def program() -> None:
    """Every resource of the shape, on the cluster that the project's own kubeconfig leads to."""
    folder = Path.cwd()
    asked = json.loads((folder / SHAPE_FILE).read_text())
    provider = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(folder / "kubeconfig")})
    bundle = pulumi.ComponentResource("soak:index:Bundle", "bundle")
    made: dict[str, pulumi.CustomResource] = {}
    for entry in wanted(Shape.from_json(asked["shape"]), asked["namespace"]):
        made[entry.key] = _declare(entry, provider, bundle, made)
    pulumi.export("names", {key: resource.id for key, resource in made.items()})


def _declare(
    entry: Wanted,
    provider: pulumi.ProviderResource,
    bundle: pulumi.ComponentResource,
    made: dict[str, pulumi.CustomResource],
) -> pulumi.CustomResource:
    manifest = _with_names(entry.manifest, made)
    if entry.kind == "Secret":
        manifest["data"] = pulumi.Output.secret(manifest["data"])
    options = pulumi.ResourceOptions(
        provider=provider,
        parent=bundle if entry.bundled else None,
        depends_on=[made[key] for key in entry.after],
        version=VERSION,
    )
    return pulumi.CustomResource(type_token(manifest["apiVersion"], entry.kind), entry.key, manifest, options)


def _with_names(value: Any, made: dict[str, pulumi.CustomResource]) -> Any:
    """The manifest with the names that other resources got."""
    if isinstance(value, dict):
        return {key: _with_names(entry, made) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_names(entry, made) for entry in value]
    if isinstance(value, str) and value.startswith(REFERENCE):
        return made[value.removeprefix(REFERENCE)].id.apply(lambda place: place.rpartition("/")[2])
    return value
