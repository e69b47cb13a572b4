"""The cluster's own list: every object of a namespace that the soak could have left there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.kube.client import Kube

MANAGER = "soak"
KINDS = (
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("v1", "Service"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
)


def listed(kube: Kube, namespace: str) -> list[dict[str, Any]]:
    """Everything there, made by whomever; each with its kind, which lists leave out."""
    return [
        {**entry, "apiVersion": api_version, "kind": kind}
        for api_version, kind in KINDS
        for entry in kube.list(api_version, kind, namespace)
    ]


def copy_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The same object once more, under another name: what a create that was tried twice leaves."""
    metadata = entry["metadata"]
    kept = {key: metadata[key] for key in ("namespace", "labels", "annotations") if key in metadata}
    fresh = {key: value for key, value in entry.items() if key != "status"}
    return {**fresh, "metadata": {**kept, "name": f"{metadata['name']}-{secrets.token_hex(2)}"}}


@contextmanager
def namespace(kube: Kube, name: str, control: str) -> Iterator[str]:
    """A namespace for the length of the block; `control` is the one that turnout keeps beside it."""
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, MANAGER)
    try:
        yield name
    finally:
        for each in (name, control):
            kube.delete("v1", "Namespace", each)
