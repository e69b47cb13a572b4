"""A workload as Kubernetes manifests. Pure."""

from __future__ import annotations

from typing import Final

from components.environment import Placement
from components.kubernetes import Manifest
from components.workload.spec import WorkloadSpec

CONTROLLERS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
NEEDED_FIRST: Final = frozenset(
    {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    | {"ConfigMap", "Secret", "NetworkPolicy", "PersistentVolumeClaim"}
)


def manifests(spec: WorkloadSpec, placement: Placement) -> list[Manifest]:
    """Every object of the workload, in the order in which they are needed."""
    raise NotImplementedError
