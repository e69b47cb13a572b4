"""What turnout keeps in the cluster about an environment, and under which names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from cli.kube.errors import AlreadyExists, NotFound
from components.environment import Namespaces
from components.manifest import FIELD_MANAGER
from components.names import ENVIRONMENT, KIND

if TYPE_CHECKING:
    from cli.kube.client import Kube

Manifest = dict[str, Any]
Result = TypeVar("Result")

MANAGER = "turnout-cli"
OWNER = FIELD_MANAGER


def namespace(environment: str) -> str:
    """Holds the lock, the release records and the audit trail; no environment destroys it."""
    return Namespaces.of(environment).control


def labels(environment: str, kind: str) -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "turnout", ENVIRONMENT: environment, KIND: kind}


def stamp(moment: datetime | None = None) -> str:
    """Kubernetes' MicroTime, in UTC."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """Reads Time and MicroTime."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def names_of(kube: Kube, environment: str, kind: str) -> list[Manifest]:
    """ConfigMaps of one kind of ours, less their content (Kubernetes' PartialObjectMetadata)."""
    from cli.kube import requests
    from cli.kube.kinds import BUILT_IN

    selector = f"{KIND}={kind},{ENVIRONMENT}={environment}"
    listing = requests.list_(BUILT_IN["v1", "ConfigMap"], namespace(environment), labels=selector, limit=10_000)
    found: list[Manifest] = kube.request(replace(listing, accept=requests.HEADS)).json()["items"] or []
    return found


def in_namespace(kube: Kube, environment: str, write: Callable[[], Result]) -> Result:
    """Does `write`, after creating the control namespace where it is the namespace that is missing."""
    try:
        return write()
    except NotFound:
        create_namespace(kube, environment)
        return write()


def create_namespace(kube: Kube, environment: str) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace(environment), "labels": labels(environment, "control")},
    }
    try:
        kube.create(manifest, manager=MANAGER)
    except AlreadyExists:
        return
