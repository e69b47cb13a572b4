"""Kubernetes manifests as Pulumi resources.

One small resource class stands for the hundreds that pulumi_kubernetes generates: the same type tokens, inputs and
options reach the engine (a test compares them), and the program starts a second sooner as their modules stay unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import pulumi

from components.environment import Environment
from components.manifest import Manifest, outlives_release, resource_name, revealed, stamped, type_token
from components.secret import Secret
from components.tracks import ROUTED, Head

__all__ = ["KubernetesObject", "Manifest", "apply", "freeze"]

_CONFIGURATION: Final = frozenset({"ConfigMap", "Secret"})
"""Named by content, and so kept for older releases: see `outlives_release`."""
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
    left_alone: Sequence[str] = (),
    opts: pulumi.ResourceOptions | None = None,
) -> KubernetesObject:
    """Declares one object, after its namespace. `name` is the Pulumi name, by default `resource_name(manifest)`.

    `left_alone`: property paths that are set at creation and that others change afterwards.
    """
    namespace = environment.declared.get(manifest["metadata"].get("namespace", ""))
    defaults = pulumi.ResourceOptions(
        provider=environment.adopting if outlives_release(manifest) else environment.cluster,
        retain_on_delete=outlives_release(manifest) or None,
        ignore_changes=[*ROUTED.get(manifest["kind"], ()), *left_alone] or None,
        additional_secret_outputs=_SECRET_OUTPUTS.get(manifest["kind"]),
        depends_on=[namespace] if namespace else None,
        version=_package_version(),
    )
    options = pulumi.ResourceOptions.merge(defaults, opts)
    return KubernetesObject(name or resource_name(manifest), stamped(manifest), options)


def freeze(head: Head, *, environment: Environment, opts: pulumi.ResourceOptions | None = None) -> KubernetesObject:
    """Declares an object that stays as it is, whatever that is."""
    manifest = {"apiVersion": head.api_version, "kind": head.kind}
    named = {"name": head.name, **({"namespace": head.namespace} if head.namespace else {})}
    namespace = environment.declared.get(head.namespace)
    kept = head.kind in _CONFIGURATION
    defaults = pulumi.ResourceOptions(
        provider=environment.adopting if kept else environment.cluster,
        retain_on_delete=kept or None,
        ignore_changes=["*"],
        additional_secret_outputs=_SECRET_OUTPUTS.get(head.kind),
        depends_on=[namespace] if namespace else None,
        version=_package_version(),
    )
    return KubernetesObject(
        head.resource, {**manifest, "metadata": named}, pulumi.ResourceOptions.merge(defaults, opts)
    )


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
