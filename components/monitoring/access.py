"""The right to read pods in chosen namespaces, for servers that find what they watch by the cluster's API. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from components.environment import Placement
from components.manifest import Manifest

_GROUP: Final = "rbac.authorization.k8s.io"


def reading_pods(account: str, placement: Placement, namespaces: Iterable[str]) -> list[Manifest]:
    """A Role and its binding in each namespace, for a workload's account: no right reaches beyond the environment."""
    return [made for namespace in namespaces for made in _pair(account, placement, namespace)]


def _pair(account: str, placement: Placement, namespace: str) -> tuple[Manifest, Manifest]:
    name = f"{account}-reads-pods"
    metadata = {"name": name, "namespace": namespace, "labels": placement.labels(account)}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": placement.namespace}
    reference = {"apiGroup": _GROUP, "kind": "Role", "name": name}
    role: Manifest = {"apiVersion": f"{_GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]}
    binding: Manifest = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }
    return role, binding
