"""Which changed field means a new object, as data: pulumi-kubernetes 4.34's own rules.

metadata.name and metadata.namespace always do. A field that the API server would not let change, but that is not in
this table (a Job's completionMode, say), is refused by the server's dry run, exactly as with the official provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.provider import paths
from cli.provider.paths import Path

ALWAYS = ("metadata.name", "metadata.namespace")

_CONTAINER = """
    args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext
    stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir
"""
_POD = """
    affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork
    hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName
    readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName
    shareProcessNamespace subdomain terminationGracePeriodSeconds volumes
"""
_VOLUME = """
    awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs
    hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume
"""


def _under(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


_BINDING = ("roleRef",)
_SELECTOR = ("spec.selector",)
_JOB = _under("spec", "completions parallelism selector template")
_STATEFUL = _under("spec", "podManagementPolicy revisionHistoryLimit selector serviceName volumeClaimTemplates")

_VERSIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "apps/v1": {"DaemonSet": _SELECTOR, "Deployment": _SELECTOR, "StatefulSet": _STATEFUL},
    "apps/v1beta1": {"StatefulSet": _STATEFUL},
    "apps/v1beta2": {"DaemonSet": _SELECTOR, "Deployment": _SELECTOR, "StatefulSet": _STATEFUL},
    **{f"batch/{version}": {"Job": _JOB} for version in ("v1", "v1beta1", "v2alpha1")},
    "policy/v1beta1": {"PodDisruptionBudget": ("spec",)},
    **{
        f"rbac.authorization.k8s.io/{version}": {"ClusterRoleBinding": _BINDING, "RoleBinding": _BINDING}
        for version in ("v1", "v1beta1", "v1alpha1")
    },
    "storage.k8s.io/v1": {"StorageClass": ("parameters", "provisioner")},
    "v1": {
        "PersistentVolume": _under("spec", _VOLUME),
        "PersistentVolumeClaim": _under("spec", "accessModes selector storageClassName volumeName"),
        "Pod": (
            *_under("spec", _POD),
            *_under("spec.containers[*]", _CONTAINER),
            *_under("spec.initContainers[*]", _CONTAINER),
        ),
        "ResourceQuota": ("spec.scopes",),
        "Secret": ("type",),
        "Service": ("spec.clusterIP",),
    },
}

TABLE: Mapping[tuple[str, str], tuple[str, ...]] = {
    (version, kind): names for version, kinds in _VERSIONS.items() for kind, names in kinds.items()
}


@dataclass(frozen=True)
class Mutable:
    """Whether ConfigMaps and Secrets are changed in place (provider settings); `immutable: true` objects never are."""

    config_maps: bool = False
    secrets: bool = False


def identity() -> list[Path]:
    """The paths that say which object is meant."""
    return [paths.parse(name) for name in ALWAYS]


def fields(obj: Mapping[str, Any], mutable: Mutable) -> list[Path]:
    """The paths whose change replaces this object."""
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    names = TABLE.get((str(api_version), str(kind)), ())
    if (api_version, kind) == ("v1", "Secret") and _is_frozen(obj, mutable.secrets):
        names = ("type", "stringData", "data")
    if (api_version, kind) == ("v1", "ConfigMap") and _is_frozen(obj, mutable.config_maps):
        names = ("binaryData", "data")
    return [*identity(), *map(paths.parse, names)]


def _is_frozen(obj: Mapping[str, Any], mutable: bool) -> bool:
    return not mutable or obj.get("immutable") is True
