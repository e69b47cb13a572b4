"""A workload as Kubernetes manifests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from components.environment import Placement
from components.manifest import Manifest
from components.names import TEMPLATE
from components.tracks import template_hash
from components.workload import files, network
from components.workload.identity import identity
from components.workload.naming import manifest, named_by_content, object_name, selector
from components.workload.pods import mebibytes, template
from components.workload.scaling import autoscaler, disruption_budget
from components.workload.spec import Runs, Schedule, Storage, WorkloadSpec

CONTROLLERS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
NEEDED_FIRST: Final = frozenset(
    {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    | {"ConfigMap", "Secret", "NetworkPolicy"}
)
KEPT_REVISIONS: Final = 5


def manifests(spec: WorkloadSpec, placement: Placement) -> list[Manifest]:
    """Every object of the workload, in the order in which they are needed; of one that is tracked: on the first track.

    This is what a release record holds. `components.workload.standing` says what of it is declared, and how.
    """
    possible = [
        *identity(spec, placement),
        *(files.config_map(spec, placement, item) for item in spec.config),
        *(files.secret(spec, placement, item) for item in spec.secrets),
        network.policy(spec, placement),
        network.service(spec, placement),
        network.route(spec, placement),
        controller(spec, placement),
        disruption_budget(spec, placement),
        autoscaler(spec, placement),
    ]
    return [item for item in possible if item is not None]


def controller(spec: WorkloadSpec, placement: Placement) -> Manifest:
    """The object that keeps the workload's pods running."""
    return _CONTROLLERS[spec.runs](spec, placement)


def _deployment(spec: WorkloadSpec, placement: Placement) -> Manifest:
    body = {
        **({} if spec.autoscale else {"replicas": spec.replicas}),
        "selector": {"matchLabels": selector(spec, placement)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "minReadySeconds": spec.settle,
        "progressDeadlineSeconds": spec.deadline,
        "revisionHistoryLimit": KEPT_REVISIONS,
        "template": template(spec, placement),
    }
    made = manifest("apps/v1", "Deployment", spec, placement, spec=body)
    return {**made, "metadata": {**made["metadata"], "annotations": {TEMPLATE: template_hash(made)}}}


def _stateful_set(spec: WorkloadSpec, placement: Placement) -> Manifest:
    body = {
        "replicas": spec.replicas,
        "serviceName": spec.name,
        "selector": {"matchLabels": selector(spec, placement)},
        # A broken first pod must not keep its own repair from being rolled out (kubernetes#67250).
        "podManagementPolicy": "Parallel",
        "minReadySeconds": spec.settle,
        "revisionHistoryLimit": KEPT_REVISIONS,
        "template": template(spec, placement),
        **({"volumeClaimTemplates": [_claim(item) for item in spec.storage]} if spec.storage else {}),
    }
    return manifest("apps/v1", "StatefulSet", spec, placement, spec=body)


def _claim(storage: Storage) -> dict[str, Any]:
    chosen = {"storageClassName": storage.storage_class} if storage.storage_class else {}
    requested = {"requests": {"storage": mebibytes(storage.size)}}
    return {
        "metadata": {"name": storage.name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": requested, **chosen},
    }


def _daemon_set(spec: WorkloadSpec, placement: Placement) -> Manifest:
    body = {
        "selector": {"matchLabels": selector(spec, placement)},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "minReadySeconds": spec.settle,
        "revisionHistoryLimit": KEPT_REVISIONS,
        "template": template(spec, placement),
    }
    return manifest("apps/v1", "DaemonSet", spec, placement, spec=body)


def _job(spec: WorkloadSpec, placement: Placement) -> Manifest:
    body = _job_body(spec, placement)
    return named_by_content(manifest("batch/v1", "Job", spec, placement, spec=body), object_name(spec), body)


def _cron_job(spec: WorkloadSpec, placement: Placement) -> Manifest:
    if spec.schedule is None:
        raise ValueError(f"{spec.name} runs on a schedule but has none")
    body = {**_timing(spec.schedule), "jobTemplate": {"spec": _job_body(spec, placement)}}
    return manifest("batch/v1", "CronJob", spec, placement, spec=body)


def _timing(schedule: Schedule) -> dict[str, Any]:
    return {
        "schedule": schedule.cron,
        "timeZone": schedule.time_zone,
        "concurrencyPolicy": schedule.overlap,
        "startingDeadlineSeconds": 300,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
    }


def _job_body(spec: WorkloadSpec, placement: Placement) -> dict[str, Any]:
    return {
        "backoffLimit": spec.retries,
        "activeDeadlineSeconds": spec.deadline,
        "template": template(spec, placement),
    }


_CONTROLLERS: Final[Mapping[Runs, Callable[[WorkloadSpec, Placement], Manifest]]] = {
    "replicated": _deployment,
    "stateful": _stateful_set,
    "every-node": _daemon_set,
    "once": _job,
    "scheduled": _cron_job,
}
