"""Which path serves which kind: a table for Kubernetes' own kinds, the server's discovery for all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind that an API server serves."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path of one object, or of the whole collection without `name`; all namespaces without `namespace`."""
        parts = [group_path(self.api_version)]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


def group_path(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def split(api_version: str) -> tuple[str, str]:
    """(group, version); the core group is the empty string."""
    group, _, version = api_version.rpartition("/")
    return group, version


_NAMESPACED = {
    "v1": "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret Service ServiceAccount",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "coordination.k8s.io/v1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "events.k8s.io/v1": "Event",
    "networking.k8s.io/v1": "Ingress NetworkPolicy",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "Role RoleBinding",
    "resource.k8s.io/v1": "ResourceClaim ResourceClaimTemplate",
    "storage.k8s.io/v1": "CSIStorageCapacity",
}

_CLUSTER_WIDE = {
    "v1": "Namespace Node PersistentVolume",
    "admissionregistration.k8s.io/v1": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiregistration.k8s.io/v1": "APIService",
    "certificates.k8s.io/v1": "CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io/v1": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io/v1": "IngressClass IPAddress ServiceCIDR",
    "node.k8s.io/v1": "RuntimeClass",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io/v1": "DeviceClass ResourceSlice",
    "scheduling.k8s.io/v1": "PriorityClass",
    "storage.k8s.io/v1": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
}


def plural(kind: str) -> str:
    """How paths and rights name the kind, as Kubernetes and all that turnout declares spell it."""
    word = kind.lower()
    if word == "endpoints":
        return word
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("s") else "s")


def _rows(table: Mapping[str, str], namespaced: bool) -> Iterable[Kind]:
    for api_version, kinds in table.items():
        group, version = split(api_version)
        yield from (Kind(group, version, kind, plural(kind), namespaced) for kind in kinds.split())


WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"), ("batch/v1", "CronJob"))
"""What is declared to run pods: (apiVersion, kind)."""
BUILT_IN = {
    (row.api_version, row.kind): row for rows in (_rows(_NAMESPACED, True), _rows(_CLUSTER_WIDE, False)) for row in rows
}


_SCOPES = {(row.group, row.kind): row.namespaced for row in BUILT_IN.values()}


def scope(api_version: str, kind: str) -> bool | None:
    """Whether a kind of Kubernetes' own is namespaced, in whichever version of its group; None for all others."""
    return _SCOPES.get((split(api_version)[0], kind))


def from_discovery(answer: Mapping[str, Any]) -> dict[tuple[str, str], Kind]:
    """The kinds of an APIResourceList (`GET /apis/GROUP/VERSION`), subresources left out."""
    group, version = split(answer["groupVersion"])
    return {
        (answer["groupVersion"], row["kind"]): Kind(group, version, row["kind"], row["name"], bool(row["namespaced"]))
        for row in answer.get("resources", [])
        if "/" not in row["name"]
    }
