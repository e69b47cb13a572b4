"""Is it ready, has it failed, and why: pure judgements on live objects, with the rules of pulumi-kubernetes 4.x.

| kind | ready when (each: the controller has seen the newest generation) |
|---|---|
| Deployment | all replicas updated and available, old ones gone, Progressing says NewReplicaSetAvailable |
| StatefulSet | all replicas ready and, above the partition, updated; no more of them; the new revision current |
| DaemonSet | updated and available on every node that it is for |
| Job | Complete (or suspended); Failed is a failure |
| Pod | Ready or Succeeded |
| PersistentVolumeClaim | Bound, or Pending where its class waits for the first consumer |
| Service | has a ready endpoint if it selects pods; has an address if it is a load balancer |
| others | see the table at the end of this file; kinds not in it are ready at once |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.kube import pods, related
from cli.kube.pods import Cause, condition
from cli.kube.related import Related
from cli.kube.requests import Object


@dataclass(frozen=True)
class Health:
    """`reason` is one line for people; `causes` what is behind it. `failed`: waiting any longer is of no use."""

    ready: bool
    failed: bool = False
    reason: str = ""
    causes: tuple[Cause, ...] = ()

    def lines(self) -> list[str]:
        """The reason and each cause, last log lines included."""
        return [line for line in [self.reason, *map(str, self.causes)] if line]


READY = Health(True)


def health(obj: Object, about: Related | None = None) -> Health:
    """The health of a live object. Without `about` the causes are missing."""
    rule = RULES.get((_group(obj), obj["kind"]))
    return rule(obj, about or Related()) if rule else READY


def is_judged(obj: Object) -> bool:
    """Whether this kind has a rule, so that there is something to wait for."""
    return (_group(obj), obj["kind"]) in RULES


def _deployment(obj: Object, about: Related) -> Health:
    status, want = _status(obj), _replicas(obj)
    if not _is_seen(obj):
        return Health(False, reason="the controller has not seen the change yet")
    progressing = condition(obj, "Progressing")
    if progressing.get("status") == "False":
        reason = f"gave up: {progressing.get('message') or progressing.get('reason')}"
        return Health(
            False,
            failed=progressing.get("reason") == "ProgressDeadlineExceeded",
            reason=reason,
            causes=_why(obj, about),
        )
    if (obj.get("spec") or {}).get("paused"):
        return Health(True, reason="paused")
    updated, available, total = (status.get(key, 0) for key in ("updatedReplicas", "availableReplicas", "replicas"))
    if updated < want:
        return _waiting(obj, about, f"{updated} of {want} replicas updated")
    if available < want:
        return _waiting(obj, about, f"{available} of {want} replicas available")
    if total > updated:
        return _waiting(obj, about, f"{total - updated} old replica{'s' * (total - updated != 1)} still to end")
    if progressing and progressing.get("reason") != "NewReplicaSetAvailable":
        return _waiting(obj, about, "the new ReplicaSet is not available yet")
    return Health(True, reason=f"{available} of {want} replicas available")


def _stateful_set(obj: Object, about: Related) -> Health:
    status, want = _status(obj), _replicas(obj)
    if not _is_seen(obj):
        return Health(False, reason="the controller has not seen the change yet")
    ready = status.get("availableReplicas" if (obj.get("spec") or {}).get("minReadySeconds") else "readyReplicas", 0)
    strategy = (obj.get("spec") or {}).get("updateStrategy") or {}
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    to_update = want - (strategy.get("rollingUpdate") or {}).get("partition", 0) if rolling else 0
    updated = status.get("updatedReplicas", 0)
    if ready < want:
        return _waiting(obj, about, f"{ready} of {want} replicas ready")
    if (left := status.get("replicas", 0) - want) > 0:
        return _waiting(obj, about, f"{left} replica{'s' * (left != 1)} still to end")
    if status.get("currentRevision") != status.get("updateRevision"):
        if updated < to_update:
            return _waiting(obj, about, f"{updated} of {to_update} replicas updated")
        if to_update == want > 0:
            return _waiting(obj, about, "the new revision is not the current one yet")
    return Health(True, reason=f"{ready} of {want} replicas ready")


def _daemon_set(obj: Object, about: Related) -> Health:
    status = _status(obj)
    if not _is_seen(obj):
        return Health(False, reason="the controller has not seen the change yet")
    want = status.get("desiredNumberScheduled", 0)
    rolling = ((obj.get("spec") or {}).get("updateStrategy") or {}).get("type") != "OnDelete"
    if rolling and status.get("updatedNumberScheduled", 0) < want:
        return _waiting(obj, about, f"updated on {status.get('updatedNumberScheduled', 0)} of {want} nodes")
    if status.get("numberAvailable", 0) < want:
        return _waiting(obj, about, f"available on {status.get('numberAvailable', 0)} of {want} nodes")
    return Health(True, reason=f"available on {want} of {want} nodes")


def _job(obj: Object, about: Related) -> Health:
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        text = failed.get("message") or failed.get("reason")
        return Health(False, failed=True, reason=f"failed: {text}", causes=_why(obj, about))
    if condition(obj, "Complete").get("status") == "True":
        return Health(True, reason="complete")
    if (obj.get("spec") or {}).get("suspend"):
        return Health(True, reason="suspended")
    done, want = _status(obj).get("succeeded", 0), (obj.get("spec") or {}).get("completions") or 1
    return _waiting(obj, about, f"{done} of {want} completed")


def _pod(obj: Object, about: Related) -> Health:
    phase = _status(obj).get("phase", "Pending")
    if phase == "Succeeded" or pods.is_ready(obj):
        return Health(True, reason=phase.lower())
    why = tuple(pods.causes(obj, about.events, about.logs))
    hopeless = phase == "Failed" or any(cause.hopeless for cause in why)
    return Health(False, failed=hopeless, reason=f"{phase.lower()}, not ready", causes=why)


def _replica_set(obj: Object, about: Related) -> Health:
    want, have = _replicas(obj), _status(obj).get("availableReplicas", 0)
    if have < want:
        return _waiting(obj, about, f"{have} of {want} replicas available")
    return Health(True, reason=f"{have} of {want} replicas available")


def _claim(obj: Object, about: Related) -> Health:
    phase = _status(obj).get("phase", "Pending")
    if phase == "Bound":
        return Health(True, reason="bound")
    if phase == "Pending" and (about.storage_class or {}).get("volumeBindingMode") == "WaitForFirstConsumer":
        return Health(True, reason="waits for its first pod")
    return Health(False, failed=phase == "Lost", reason=f"{phase.lower()}: no volume is bound yet")


def _volume(obj: Object, _: Related) -> Health:
    phase = _status(obj).get("phase", "Pending")
    return Health(phase in ("Available", "Bound"), failed=phase == "Failed", reason=phase.lower())


def _service(obj: Object, about: Related) -> Health:
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return READY
    if spec.get("type") == "LoadBalancer" and not _ingress(obj):
        return Health(False, reason="no address was assigned to the load balancer yet")
    if spec.get("selector") and spec.get("clusterIP") != "None" and not any(map(_serves, about.slices)):
        return Health(False, reason="no ready pod fits its selector yet")
    return READY


def _ingress_rule(obj: Object, _: Related) -> Health:
    return READY if _ingress(obj) else Health(False, reason="no ingress controller has given it an address yet")


def _quota(obj: Object, _: Related) -> Health:
    same = (obj.get("spec") or {}).get("hard") == _status(obj).get("hard")
    return Health(same, reason="" if same else "the quota is not in force yet")


def _secret(obj: Object, _: Related) -> Health:
    if obj.get("type") != "kubernetes.io/service-account-token" or obj.get("data"):
        return READY
    return Health(False, reason="no token was issued yet")


def _definition(obj: Object, _: Related) -> Health:
    refused = condition(obj, "NamesAccepted")
    if refused.get("status") == "False":
        return Health(False, failed=True, reason=str(refused.get("message")))
    done = condition(obj, "Established").get("status") == "True"
    return Health(done, reason="" if done else "the kind is not served yet")


def by_convention(obj: Object) -> Health:
    """For a kind without a rule of its own: what most controllers say in their status, as kstatus reads it."""
    if not _is_current(obj):
        return Health(False, reason="the controller has not seen the change yet")
    stalled, reconciling, ready = (condition(obj, kind) for kind in ("Stalled", "Reconciling", "Ready"))
    if stalled.get("status") == "True":
        return Health(False, failed=True, reason=f"stalled: {stalled.get('message') or stalled.get('reason')}")
    for row, wanted in ((reconciling, "False"), (ready, "True")):
        if row.get("status", wanted) != wanted:
            said = row.get("message") or row.get("reason") or f"not {wanted} yet"
            return Health(False, reason=f"{row['type']}: {said}")
    return READY


def serves_nobody(obj: Object, about: Related) -> bool:
    """Whether a Service waits for pods alone, and selects none at all: whoever makes them may wait for the Service."""
    if (_group(obj), obj["kind"]) != ("", "Service") or not (obj.get("spec") or {}).get("selector"):
        return False
    has_address = (obj.get("spec") or {}).get("type") != "LoadBalancer" or _ingress(obj)
    return has_address and not any(slice_.get("endpoints") for slice_ in about.slices)


Rule = Callable[[Object, Related], Health]
RULES: Mapping[tuple[str, str], Rule] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("", "ReplicationController"): _replica_set,
    ("", "ResourceQuota"): _quota,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("networking.k8s.io", "Ingress"): _ingress_rule,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def _waiting(obj: Object, about: Related, reason: str) -> Health:
    why = _why(obj, about)
    return Health(False, failed=bool(why) and all(cause.hopeless for cause in why), reason=reason, causes=why)


def _why(obj: Object, about: Related) -> tuple[Cause, ...]:
    """What keeps the pods from running, equal causes of several pods once."""
    found = [*_not_created(obj, about)]
    for pod in about.pods:
        found += pods.causes(pod, about.events, about.logs)
    return tuple(_distinct(found))


def _not_created(obj: Object, about: Related) -> Iterable[Cause]:
    """Pods refused by quota or admission: the owner has an event and, on a Deployment's ReplicaSet, a condition."""
    current = related.newest(obj, about.replica_sets) if obj["kind"] == "Deployment" else obj
    if current is None:
        return
    refused = condition(current, "ReplicaFailure")
    if refused.get("status") == "True":
        yield Cause("quota", f"{current['kind']} {current['metadata']['name']}", str(refused.get("message")))
    elif not about.pods:
        yield from _refusals(current, about.events)


def _refusals(owner: Object, events: Iterable[Object]) -> Iterable[Cause]:
    name = owner["metadata"]["name"]
    own = (row for row in events if row.get("reason") == "FailedCreate" and row["involvedObject"].get("name") == name)
    if last := max(own, key=pods.seen_at, default=None):
        yield Cause("quota", f"{owner['kind']} {name}", str(last.get("message")))


def _distinct(found: Iterable[Cause]) -> Iterable[Cause]:
    seen = set()
    for cause in found:
        key = (cause.what, cause.message, cause.where.rpartition(", ")[2] if ", " in cause.where else "")
        if key not in seen:
            seen.add(key)
            yield cause


def _is_seen(obj: Object) -> bool:
    return bool(_status(obj).get("observedGeneration", 0) >= obj["metadata"].get("generation", 0))


def _is_current(obj: Object) -> bool:
    """As `_is_seen`, for kinds whose controllers may not say which generation they saw."""
    return "observedGeneration" not in _status(obj) or _is_seen(obj)


def _status(obj: Object) -> Mapping[str, Any]:
    return obj.get("status") or {}


def _replicas(obj: Object) -> int:
    count = (obj.get("spec") or {}).get("replicas")
    return 1 if count is None else int(count)


def _ingress(obj: Object) -> bool:
    return bool((_status(obj).get("loadBalancer") or {}).get("ingress"))


def _serves(slice_: Object) -> bool:
    return any((row.get("conditions") or {}).get("ready", True) for row in slice_.get("endpoints") or [])


def _group(obj: Object) -> str:
    return str(obj["apiVersion"].rpartition("/")[0])
