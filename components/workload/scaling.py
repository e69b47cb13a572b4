"""How many copies a workload keeps: disruption budget and autoscaler. Pure."""

from __future__ import annotations

from components.environment import Placement
from components.manifest import Manifest
from components.workload.naming import manifest, object_name, selector
from components.workload.spec import WorkloadSpec


def disruption_budget(spec: WorkloadSpec, placement: Placement) -> Manifest | None:
    """One pod at a time may be evicted. A single copy gets none: it would only block the draining of its node."""
    if spec.runs not in ("replicated", "stateful") or least_copies(spec) < 2:
        return None
    body = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": selector(spec, placement)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return manifest("policy/v1", "PodDisruptionBudget", spec, placement, spec=body)


def autoscaler(spec: WorkloadSpec, placement: Placement) -> Manifest | None:
    if spec.autoscale is None:
        return None
    target = {"type": "Utilization", "averageUtilization": spec.autoscale.cpu_percent}
    body = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": object_name(spec)},
        "minReplicas": spec.autoscale.minimum,
        "maxReplicas": spec.autoscale.maximum,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    return manifest("autoscaling/v2", "HorizontalPodAutoscaler", spec, placement, spec=body)


def least_copies(spec: WorkloadSpec) -> int:
    return spec.autoscale.minimum if spec.autoscale else spec.replicas
