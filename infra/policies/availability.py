"""What keeps a service there while nodes come and go, and keeps its data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from components.tracks import TRACK_LABEL
from infra.policies.rule import ALWAYS, SERVED, SHARED, Fault, rule
from infra.policies.world import Pod, Thing, World
from infra.reading import entries, mapping, number

_COUNTED: Final = ("Deployment", "StatefulSet")
_HOSTNAME: Final = "kubernetes.io/hostname"


def counted(world: World) -> Iterator[Pod]:
    """Workloads of which there may be more than one."""
    return (pod for pod in world.pods() if pod.kind in _COUNTED)


@rule(
    "two-replicas",
    counted,
    why="a single copy is gone while its node drains, its pod is replaced, or its zone fails",
    remedy="`replicas: 2` or more, or an autoscaler with a minimum of 2",
    levels=SERVED,
)
def two_replicas(pod: Pod) -> Iterator[Fault]:
    if pod.services and pod.copies < 2 and not pod.idle:
        yield Fault("spec.replicas", f"a Service leads to it, and there is {pod.copies or 'no'} copy")


@rule(
    "disruption-budget",
    counted,
    why="without a budget a drain may take all copies at once; with one that lets none go, no node can be drained",
    remedy="one PodDisruptionBudget with maxUnavailable: 1",
    levels=SHARED,
)
def disruption_budget(pod: Pod) -> Iterator[Fault]:
    if pod.copies < 2:
        return
    budgets = pod.budgets
    if not budgets:
        yield Fault("", f"no PodDisruptionBudget speaks of its {pod.copies} copies")
    if len(budgets) > 1:
        yield Fault("", f"{' and '.join(each.place for each in budgets)} both speak of it, and no pod can be evicted")
    for budget in budgets:
        allowed = _disruptions(budget.spec, pod.copies)
        if allowed != 1:
            yield Fault("", f"{budget.place} lets {allowed} of its {pod.copies} copies go at once, not exactly one")


@rule(
    "empty-budget",
    lambda world: world.of("PodDisruptionBudget"),
    why="of a budget for a single copy, or that lets none go, a drain hears no until somebody deletes it",
    remedy="maxUnavailable: 1, and two or more copies",
    levels=ALWAYS,
)
def empty_budget(budget: Thing) -> Iterator[Fault]:
    for pod in budget.world.picked_by(budget):
        if pod.kind in _COUNTED and pod.copies < 2 and not pod.idle and _disruptions(budget.spec, pod.copies) < 1:
            yield Fault("spec", f"lets none of {pod.place} go, of which there is {pod.copies or 'no'} copy")


@rule(
    "topology-spread",
    counted,
    why="copies that happen to share a node go down together with it",
    remedy=f"topologySpreadConstraints over {_HOSTNAME} (DoNotSchedule) or a required podAntiAffinity",
    levels=SERVED,
)
def topology_spread(pod: Pod) -> Iterator[Fault]:
    if pod.copies >= 2 and not (_spread(pod) or _apart(pod)):
        yield Fault(f"{pod.path}.topologySpreadConstraints", f"its {pod.copies} copies may all be on one node")


@rule(
    "autoscaler-and-replicas",
    counted,
    why="each apply takes back what the autoscaler did, in the middle of the load that it did it for",
    remedy="leave `replicas` out where an autoscaler counts the copies",
    levels=ALWAYS,
)
def autoscaler_and_replicas(pod: Pod) -> Iterator[Fault]:
    """A service's track keeps the count that it had, and no apply writes it (`components.workload.standing`)."""
    if pod.scaler and pod.spec.get("replicas") is not None and TRACK_LABEL not in pod.labels:
        yield Fault("spec.replicas", f"{pod.scaler.place} counts its copies, and so does `replicas`")


@rule(
    "autoscaler-target",
    lambda world: (each for each in world.of("HorizontalPodAutoscaler") if each.spec),
    why="an autoscaler of something that is not there is only believed to help",
    remedy="name a workload of this namespace in scaleTargetRef, with maxReplicas no smaller than minReplicas",
    levels=ALWAYS,
)
def autoscaler_target(scaler: Thing) -> Iterator[Fault]:
    target = mapping(scaler.spec.get("scaleTargetRef"))
    if not scaler.world.find(str(target.get("kind")), scaler.namespace, str(target.get("name"))):
        yield Fault("spec.scaleTargetRef", f"there is no {target.get('kind')} {target.get('name')} beside it")
    least, most = number(scaler.spec.get("minReplicas"), 1), number(scaler.spec.get("maxReplicas"), 1)
    if most < least:
        yield Fault("spec.maxReplicas", f"it may have {most} copies at most and {least} at least")


@rule(
    "data-retention",
    lambda world: world.of("StatefulSet"),
    why="with this policy a smaller count, or a deleted workload, deletes its volumes: no rollback brings data back",
    remedy="persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}, which is the default",
    levels=SHARED,
)
def data_retention(made: Thing) -> Iterator[Fault]:
    stated = mapping(made.spec.get("persistentVolumeClaimRetentionPolicy"))
    for key in ("whenDeleted", "whenScaled"):
        if stated.get(key) == "Delete":
            path = f"spec.persistentVolumeClaimRetentionPolicy.{key}"
            yield Fault(path, f"its volumes are deleted with it ({key})")


@rule(
    "shared-claim",
    lambda world: (pod for pod in world.pods() if pod.kind == "Deployment"),
    why="a new pod waits for a volume that the old one still has: the rollout hangs, or two write the same data",
    remedy="a StatefulSet with volumeClaimTemplates, or strategy Recreate",
    levels=ALWAYS,
)
def shared_claim(pod: Pod) -> Iterator[Fault]:
    if mapping(pod.spec.get("strategy")).get("type") == "Recreate":
        return
    for at, volume in enumerate(entries(pod.pod.get("volumes"))):
        claim = mapping(volume.get("persistentVolumeClaim")).get("claimName")
        if claim and not _shareable(pod, str(claim)):
            yield Fault(f"{pod.path}.volumes[{at}]", f"all its pods, old and new, want the claim {claim}")


def _disruptions(budget: dict[str, Any], copies: int) -> int:
    """How many of so many copies may go at once (kubernetes.io: percentages are rounded up)."""
    if "minAvailable" in budget:
        return max(copies - _of(budget["minAvailable"], copies), 0)
    return min(_of(budget.get("maxUnavailable", 0), copies), copies)


def _of(share: Any, copies: int) -> int:
    if isinstance(share, str) and share.endswith("%"):
        return -(-copies * number(share[:-1], 0) // 100)
    return number(share, 0)


def _spread(pod: Pod) -> bool:
    stated = entries(pod.pod.get("topologySpreadConstraints"))
    return any(each.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule" for each in stated)


def _apart(pod: Pod) -> bool:
    affinity = mapping(mapping(pod.pod.get("affinity")).get("podAntiAffinity"))
    return bool(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))


def _shareable(pod: Pod, claim: str) -> bool:
    """Whether many may have it; of a claim that is not declared here nobody knows that."""
    found = pod.world.find("PersistentVolumeClaim", pod.namespace, claim)
    return found is not None and bool({"ReadWriteMany", "ReadOnlyMany"} & set(found.spec.get("accessModes") or ()))


RULES: Final = (
    two_replicas,
    disruption_budget,
    empty_budget,
    topology_spread,
    autoscaler_and_replicas,
    autoscaler_target,
    data_retention,
    shared_claim,
)
