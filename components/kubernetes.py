"""Kubernetes manifests as Pulumi resources.

One small resource class stands for the hundreds that pulumi_kubernetes generates: the same type tokens, inputs and
options reach the engine (a test compares them), and the program starts a second sooner as their modules stay unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import pulumi

from components.environment import Environment
from components.secret import Secret

Manifest = dict[str, Any]
"""A Kubernetes object in its own spelling (camelCase). Leaves may be `Secret`."""

FIELD_MANAGER: Final = "turnout"
CONTENT_LABEL: Final = "turnout.dev/content"

_ANNOTATIONS: Final[Mapping[str, Mapping[str, str]]] = {"Service": {"pulumi.com/skipAwait": "true"}}
_IGNORED: Final[Mapping[str, list[str]]] = {"Service": ["spec.selector"]}
_SECRET_OUTPUTS: Final[Mapping[str, list[str]]] = {"Secret": ["data", "stringData"]}


class KubernetesObject(pulumi.CustomResource):
    """One object, registered exactly as the class of pulumi_kubernetes for its kind would."""

    def __init__(self, name: str, manifest: Manifest, opts: pulumi.ResourceOptions) -> None:
        super().__init__(type_token(manifest), name, _inputs(manifest), opts)


def apply(
    manifest: Manifest,
    *,
    environment: Environment,
    name: str | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> KubernetesObject:
    """Declares one object, after its namespace. `name` is the Pulumi name, by default `resource_name(manifest)`."""
    namespace = environment.declared.get(manifest["metadata"].get("namespace", ""))
    defaults = pulumi.ResourceOptions(
        provider=environment.adopting if outlives_release(manifest) else environment.cluster,
        retain_on_delete=outlives_release(manifest) or None,
        ignore_changes=_IGNORED.get(manifest["kind"]),
        additional_secret_outputs=_SECRET_OUTPUTS.get(manifest["kind"]),
        depends_on=[namespace] if namespace else None,
        version=_package_version(),
    )
    options = pulumi.ResourceOptions.merge(defaults, opts)
    return KubernetesObject(name or resource_name(manifest), stamped(manifest), options)


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
    metadata = manifest["metadata"]
    content = metadata.get("labels", {}).get(CONTENT_LABEL, "")
    name = metadata["name"].removesuffix(f"-{content}") if content else metadata["name"]
    return "/".join(filter(None, (metadata.get("namespace"), name)))


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


def _inputs(manifest: Manifest) -> dict[str, Any]:
    inputs = {key: _marked(value) for key, value in manifest.items()}
    if manifest["kind"] == "Secret":
        inputs |= {
            key: pulumi.Output.secret(revealed(manifest[key])) for key in ("data", "stringData") if key in manifest
        }
    return inputs


def _marked(value: Any) -> Any:
    if isinstance(value, Secret):
        return pulumi.Output.secret(value.reveal())
    if isinstance(value, Mapping):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    return value


@cache
def _package_version() -> str:
    return version("pulumi-kubernetes")
