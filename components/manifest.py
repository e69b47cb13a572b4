"""Kubernetes objects as plain data: how turnout marks, names and types them. Pure, and loads without Pulumi."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from components import names
from components.secret import Secret

Manifest = dict[str, Any]
"""A Kubernetes object in its own spelling (camelCase). Leaves may be `Secret`."""

FIELD_MANAGER: Final = "turnout"
CONTENT_LABEL: Final = names.CONTENT
"""The label that says which part of an object's name is the hash of its content."""

_CONTENT: Final = re.compile(r"-[0-9a-f]{10}$")
_ANNOTATIONS: Final[Mapping[str, Mapping[str, str]]] = {"Service": {"pulumi.com/skipAwait": "true"}}


def stamped(manifest: Manifest) -> Manifest:
    """The manifest as it is applied: with the annotations that fix its field manager and how it is waited for."""
    metadata = manifest["metadata"]
    annotations = {
        **metadata.get("annotations", {}),
        "pulumi.com/patchFieldManager": FIELD_MANAGER,
        **_ANNOTATIONS.get(manifest["kind"], {}),
    }
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def resource_name(manifest: Manifest) -> str:
    """`NAMESPACE/NAME` less the hash of its content: it outlasts a change of content, which then shows as one."""
    return "/".join(filter(None, (manifest["metadata"].get("namespace"), lasting_name(manifest))))


def lasting_name(manifest: Manifest) -> str:
    """An object's name less the hash of its content, which stands in its label."""
    metadata = manifest["metadata"]
    content = (metadata.get("labels") or {}).get(CONTENT_LABEL, "")
    return str(metadata["name"]).removesuffix(f"-{content}") if content else str(metadata["name"])


def lasting(name: str) -> str:
    """The same by the name alone, where only that is at hand: ten hex digits at its end are taken for the hash."""
    return _CONTENT.sub("", name)


def outlives_release(manifest: Manifest) -> bool:
    """Whether an older release may still need this object after the program no longer names it."""
    return bool(manifest.get("immutable")) and CONTENT_LABEL in manifest["metadata"].get("labels", {})


def type_token(manifest: Manifest) -> str:
    """Pulumi's type of the manifest's kind: `kubernetes:apps/v1:Deployment`."""
    group_version = manifest["apiVersion"]
    return f"kubernetes:{group_version if '/' in group_version else f'core/{group_version}'}:{manifest['kind']}"


def revealed(value: Any) -> Any:
    """The value with every `Secret` in it opened."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(item) for item in value]
    return value
