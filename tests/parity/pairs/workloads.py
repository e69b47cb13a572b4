"""Deployments, StatefulSets, DaemonSets, Jobs, Pods and what goes with them."""

from __future__ import annotations

from tests.parity.pair import GONE, change
from tests.parity.pairs.shapes import (
    container,
    cron_job,
    daemon_set,
    deployment,
    job,
    obj,
    pod,
    stateful_set,
    template,
)

_POD = "spec/template/spec"
_FIRST = f"{_POD}/containers/0"
_ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]
_SIZES = {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5, "memory": "0.5Gi"}}
_SIZES_2 = {"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "512Mi"}}
_PROBE = {"httpGet": {"path": "/", "port": "http"}, "initialDelaySeconds": 0, "periodSeconds": 5}
_HPA = {
    "minReplicas": 1,
    "maxReplicas": 3,
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
    "metrics": [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    ],
}
_EMPTY = {
    "paused": False,
    "minReadySeconds": 0,
    "template": template("deploy-empty", container(args=[], env=[], resources={}, workingDir="", stdin=False)),
}
_HUGE = {"storage": "1048576Gi"}
_CLAIM = "spec/volumeClaimTemplates/0/spec/resources/requests/storage"

PAIRS = [
    change("deploy-nothing", deployment("deploy-nothing")),
    change("deploy-replicas", deployment("deploy-replicas"), {"spec/minReadySeconds": 5}),
    change("deploy-image", deployment("deploy-image"), {f"{_FIRST}/image": "turnout.local/busybox:2"}),
    change(
        "deploy-selector",
        deployment("deploy-selector"),
        {"spec/selector/matchLabels/b": "c", "spec/template/metadata/labels/b": "c"},
    ),
    change(
        "deploy-env-removed",
        deployment("deploy-env-removed", container(env=_ENV)),
        {f"{_FIRST}/env": [_ENV[0], _ENV[2]]},
    ),
    change(
        "deploy-env-reordered", deployment("deploy-env-reordered", container(env=_ENV)), {f"{_FIRST}/env": _ENV[::-1]}
    ),
    change("deploy-env-gone", deployment("deploy-env-gone", container(env=_ENV)), {f"{_FIRST}/env": GONE}),
    change(
        "deploy-container-added", deployment("deploy-container-added"), {f"{_POD}/containers/1": container(name="d")}
    ),
    change(
        "deploy-quantities",
        deployment("deploy-quantities", container(resources=_SIZES)),
        {f"{_FIRST}/resources": _SIZES_2},
    ),
    change(
        "deploy-quantity-changed",
        deployment("deploy-quantity-changed", container(resources=_SIZES)),
        {f"{_FIRST}/resources/limits/memory": "2048Mi"},
    ),
    change("deploy-empty-values", deployment("deploy-empty", **_EMPTY), {"spec/template/metadata/labels/x": "y"}),
    change("deploy-empty-added", deployment("deploy-empty-added"), {f"{_FIRST}/args": [], f"{_FIRST}/tty": False}),
    change(
        "deploy-probe",
        deployment("deploy-probe", container(readinessProbe=_PROBE)),
        {f"{_FIRST}/readinessProbe/periodSeconds": 9},
    ),
    change(
        "deploy-probe-gone",
        deployment("deploy-probe-gone", container(livenessProbe=_PROBE)),
        {f"{_FIRST}/livenessProbe": GONE},
    ),
    change(
        "deploy-port-spellings",
        deployment("deploy-ports", container(ports=[{"containerPort": 80.0, "protocol": "TCP"}])),
        {f"{_FIRST}/ports": [{"containerPort": 80, "protocol": "TCP"}]},
    ),
    change(
        "deploy-strategy",
        deployment(
            "deploy-strategy",
            strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "0%"}},
        ),
        {"spec/strategy/rollingUpdate/maxUnavailable": 0},
    ),
    change(
        "deploy-strategy-other",
        deployment("deploy-strategy-other", strategy={"type": "Recreate"}),
        {"spec/strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}},
    ),
    change(
        "deploy-volumes",
        deployment("deploy-volumes"),
        {f"{_POD}/volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}]},
    ),
    change(
        "deploy-volume-empty",
        deployment(
            "deploy-volume-empty", template=template("deploy-volume-empty", volumes=[{"name": "v", "emptyDir": {}}])
        ),
        {"spec/revisionHistoryLimit": 3},
    ),
    change("deploy-null", deployment("deploy-null", container(args=None)), {f"{_POD}/hostNetwork": None}),
    change(
        "deploy-type-changed",
        deployment("deploy-type-changed"),
        {"spec/strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}},
    ),
    change("stateful-nothing", stateful_set("stateful-nothing")),
    change("stateful-image", stateful_set("stateful-image"), {f"{_FIRST}/image": "turnout.local/busybox:2"}),
    change("stateful-service", stateful_set("stateful-service"), {"spec/serviceName": "other"}),
    change("stateful-history", stateful_set("stateful-history"), {"spec/revisionHistoryLimit": 3}),
    change("stateful-policy", stateful_set("stateful-policy"), {"spec/podManagementPolicy": "Parallel"}),
    change("stateful-claims", stateful_set("stateful-claims"), {_CLAIM: "2Gi"}),
    change("stateful-claims-same", stateful_set("stateful-claims-same"), {_CLAIM: "1024Mi"}),
    change(
        "stateful-retention",
        stateful_set("stateful-retention"),
        {"spec/persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}},
    ),
    change("daemon-nothing", daemon_set("daemon-nothing")),
    change("daemon-image", daemon_set("daemon-image"), {f"{_FIRST}/image": "turnout.local/busybox:2"}),
    change(
        "daemon-selector",
        daemon_set("daemon-selector"),
        {"spec/selector/matchLabels/b": "c", "spec/template/metadata/labels/b": "c"},
    ),
    change("job-nothing", job("job-nothing")),
    change("job-template", job("job-template"), {f"{_FIRST}/image": "turnout.local/busybox:2"}),
    change("job-parallelism", job("job-parallelism"), {"spec/parallelism": 2}),
    change("job-limit", job("job-limit"), {"spec/backoffLimit": 2}),
    change(
        "job-autonamed",
        {**job("job-autonamed"), "metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}},
        {f"{_FIRST}/image": "other:1"},
    ),
    change("cron-nothing", cron_job("cron-nothing")),
    change("cron-schedule", cron_job("cron-schedule"), {"spec/schedule": "0 4 * * *"}),
    change(
        "cron-template",
        cron_job("cron-template"),
        {"spec/jobTemplate/spec/template/spec/containers/0/image": "other:1"},
    ),
    change("pod-image", pod("pod-image"), {"spec/containers/0/image": "turnout.local/busybox:2"}),
    change("pod-grace", pod("pod-grace"), {"spec/terminationGracePeriodSeconds": 1}),
    change("pod-container-added", pod("pod-container-added"), {"spec/containers/1": container(name="d")}),
    change("hpa-nothing", obj("autoscaling/v2", "HorizontalPodAutoscaler", "hpa-nothing", {"spec": _HPA})),
    change(
        "hpa-bounds",
        obj("autoscaling/v2", "HorizontalPodAutoscaler", "hpa-bounds", {"spec": _HPA}),
        {"spec/maxReplicas": 5},
    ),
    change(
        "pdb-nothing",
        obj("policy/v1", "PodDisruptionBudget", "pdb-nothing", {"spec": {"minAvailable": 1, "selector": {}}}),
    ),
    change(
        "pdb-spelling",
        obj(
            "policy/v1",
            "PodDisruptionBudget",
            "pdb-spelling",
            {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}},
        ),
        {"spec/minAvailable": "50%"},
    ),
    change(
        "limits",
        obj("v1", "LimitRange", "limits", {"spec": {"limits": [{"type": "PersistentVolumeClaim", "max": _HUGE}]}}),
        {"spec/limits/0/max/storage": "1Pi"},
    ),
    change(
        "quota",
        obj("v1", "ResourceQuota", "quota", {"spec": {"hard": {"pods": "1000"}}}),
        {"spec/hard": {"pods": 2000}},
    ),
    change(
        "quota-scopes",
        obj("v1", "ResourceQuota", "quota-scopes", {"spec": {"hard": {"pods": 9}, "scopes": ["BestEffort"]}}),
        {"spec/scopes/0": "NotBestEffort"},
    ),
]
