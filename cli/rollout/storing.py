"""How turnout rewrites what it keeps in the cluster: one ConfigMap each, never over somebody else's change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from cli.errors import TurnoutError
from cli.kube.errors import AlreadyExists, Conflict
from cli.rollout.control import MANAGER, Manifest, in_namespace, labels, namespace

if TYPE_CHECKING:
    from cli.kube.client import Kube

Result = TypeVar("Result")


def config_map(environment: str, name: str, data: Mapping[str, str], source: Manifest | None, **more: Any) -> Manifest:
    """The ConfigMap `name` of the control namespace; it carries the resourceVersion at which `source` was read.

    `more`: further metadata.
    """
    metadata = {"name": name, "namespace": namespace(environment), "labels": labels(environment, name), **more}
    if version := ((source or {}).get("metadata") or {}).get("resourceVersion"):
        metadata["resourceVersion"] = version
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}


def store(kube: Kube, environment: str, manifest: Manifest) -> Manifest:
    """The object as it is then. Raises Conflict or AlreadyExists where somebody else was faster."""
    if "resourceVersion" in manifest["metadata"]:
        return kube.replace(manifest, MANAGER)
    return in_namespace(kube, environment, lambda: kube.create(manifest, MANAGER))


def insist(attempt: Callable[[], Result], what: str, next: str, *, attempts: int = 20) -> Result:
    """The result of `attempt`, which reads, edits and stores; it is made again when somebody else was faster."""
    for _ in range(attempts):
        with suppress(Conflict, AlreadyExists):
            return attempt()
    raise TurnoutError(
        f"{what} could not be written", why="somebody else keeps changing it at the same time", next=next
    )
