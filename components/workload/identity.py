"""A workload's ServiceAccount and what it may do with the cluster's API. Pure."""

from __future__ import annotations

from typing import Any, Final

from components.environment import Placement
from components.manifest import Manifest
from components.workload.naming import cluster_name, labels, manifest, object_name
from components.workload.spec import Rule, WorkloadSpec

_RBAC: Final = "rbac.authorization.k8s.io"


def identity(spec: WorkloadSpec, placement: Placement) -> list[Manifest]:
    """The account, and roles only when the workload has rules. The token is mounted by the pod, not by the account."""
    account = manifest("v1", "ServiceAccount", spec, placement, automountServiceAccountToken=False)
    return [account, *_local_role(spec, placement), *_cluster_role(spec, placement)]


def _local_role(spec: WorkloadSpec, placement: Placement) -> list[Manifest]:
    rules = [_rule(rule) for rule in spec.rules if not rule.cluster]
    if not rules:
        return []
    role = manifest(f"{_RBAC}/v1", "Role", spec, placement, rules=rules)
    bound = _bound("Role", object_name(spec), spec, placement)
    return [role, manifest(f"{_RBAC}/v1", "RoleBinding", spec, placement, **bound)]


def _cluster_role(spec: WorkloadSpec, placement: Placement) -> list[Manifest]:
    rules = [_rule(rule) for rule in spec.rules if rule.cluster]
    if not rules:
        return []
    name = cluster_name(spec, placement)
    metadata = {"name": name, "labels": labels(spec, placement)}
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}
    bound = _bound("ClusterRole", name, spec, placement)
    return [role, {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": metadata, **bound}]


def _bound(kind: str, name: str, spec: WorkloadSpec, placement: Placement) -> dict[str, Any]:
    account = {"kind": "ServiceAccount", "name": object_name(spec), "namespace": placement.namespace}
    return {"roleRef": {"apiGroup": _RBAC, "kind": kind, "name": name}, "subjects": [account]}


def _rule(rule: Rule) -> dict[str, Any]:
    if rule.urls:
        return {"nonResourceURLs": list(rule.urls), "verbs": list(rule.verbs)}
    return {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs)}
