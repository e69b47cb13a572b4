"""What belongs to an object and tells how it is: its ReplicaSets, pods, events and last log lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from cli.kube import pods, requests
from cli.kube.errors import Forbidden, KubeError, NotFound
from cli.kube.operations import Operation, Server
from cli.kube.requests import Object

LOOKED_INTO = 3
"""Pods of one workload whose events and logs are read: the rest fail in the same way."""


@dataclass(frozen=True)
class Related:
    """`pods` are those of the newest revision where the owner has several."""

    pods: Sequence[Object] = ()
    events: Sequence[Object] = ()
    replica_sets: Sequence[Object] = ()
    slices: Sequence[Object] = ()
    storage_class: Object | None = None
    logs: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)


WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet", "ReplicationController")


def gather(server: Server, obj: Object, *, log_lines: int = 10) -> Operation[Related]:
    """Read what tells how `obj` is. What we may not read is left out; logs are read of pods in trouble only.

    Events too, and those of their maker where it lacks pods: the API server reads all of a namespace's to answer.
    """
    kind, namespace = obj["kind"], obj["metadata"].get("namespace")
    if kind == "PersistentVolumeClaim":
        return Related(storage_class=(yield from _storage_class(server, obj)))
    if kind == "Service":
        labels = f"kubernetes.io/service-name={obj['metadata']['name']}"
        return Related(slices=(yield from _list(server, "discovery.k8s.io/v1", "EndpointSlice", namespace, labels)))
    if kind not in (*WITH_PODS, "Pod"):
        return Related()
    sets, own = yield from _pods(server, obj, namespace)
    troubled = own if kind == "Pod" else _troubled(own)
    events = yield from _events(server, namespace, _names([*_lacking(obj, sets, own), *troubled]))
    logs = yield from _logs(server, troubled, log_lines)
    return Related(pods=own, events=events, replica_sets=sets, logs=logs)


def selector(obj: Object) -> str | None:
    """An object's `spec.selector` as a label selector."""
    chosen = (obj.get("spec") or {}).get("selector") or {}
    if not isinstance(chosen, dict):
        return None
    equal = chosen.get("matchLabels", {} if "matchExpressions" in chosen else chosen)
    parts = [f"{key}={value}" for key, value in equal.items()]
    return ",".join([*parts, *map(_expression, chosen.get("matchExpressions") or [])]) or None


def newest(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet of the Deployment's current revision."""
    revision = _revision(deployment)
    own = [row for row in replica_sets if is_owned(row, deployment)]
    return next((row for row in own if _revision(row) == revision), None)


def is_owned(obj: Object, owner: Object) -> bool:
    uid = owner["metadata"].get("uid")
    return any(ref.get("uid") == uid for ref in obj["metadata"].get("ownerReferences") or [])


def current_pods(obj: Object, replica_sets: Sequence[Object], every_pod: Iterable[Object]) -> list[Object]:
    """The pods of the newest revision (of all revisions while that has none)."""
    if obj["kind"] == "Deployment":
        own = [pod for pod in every_pod if any(is_owned(pod, row) for row in replica_sets)]
        latest = newest(obj, replica_sets)
        return [pod for pod in own if latest and is_owned(pod, latest)]
    own = [pod for pod in every_pod if is_owned(pod, obj)]
    if obj["kind"] == "StatefulSet":
        revision = (obj.get("status") or {}).get("updateRevision")
        fresh = [
            pod for pod in own if (pod["metadata"].get("labels") or {}).get("controller-revision-hash") == revision
        ]
        return fresh or own
    return own


def _pods(server: Server, obj: Object, namespace: str | None) -> Operation[tuple[list[Object], list[Object]]]:
    if obj["kind"] == "Pod":
        return [], [obj]
    labels = selector(obj)
    sets: list[Object] = []
    if obj["kind"] == "Deployment":
        found = yield from _list(server, "apps/v1", "ReplicaSet", namespace, labels)
        sets = [row for row in found if is_owned(row, obj)]
    every = yield from _list(server, "v1", "Pod", namespace, labels)
    return sets, current_pods(obj, sets, every)


def _events(server: Server, namespace: str | None, names: Iterable[str]) -> Operation[list[Object]]:
    found: list[Object] = []
    for name in dict.fromkeys(names):
        found += yield from _list(server, "v1", "Event", namespace, fields=f"involvedObject.name={name}")
    return found


def _logs(server: Server, troubled: Iterable[Object], lines: int) -> Operation[dict[tuple[str, str], list[str]]]:
    found: dict[tuple[str, str], list[str]] = {}
    for pod in troubled:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        for container, previous in pods.crashed_containers(pod):
            found[name, container] = yield from last_lines(server, namespace, name, container, lines, previous=previous)
    return found


def last_lines(
    server: Server, namespace: str, pod: str, container: str, lines: int, *, previous: bool
) -> Operation[list[str]]:
    """The last lines that a container wrote, also of the run before the present one; empty when they cannot be had."""
    for before in (previous, not previous):
        request = requests.logs(namespace, pod, container=container, tail=lines, previous=before)
        try:
            text = yield from server.text(request)
        except KubeError:
            continue
        if text.strip() and not text.startswith("unable to retrieve container logs"):
            return text.strip().splitlines()[-lines:]
    return []


def _list(
    server: Server,
    api_version: str,
    kind: str,
    namespace: str | None,
    labels: str | None = None,
    fields: str | None = None,
) -> Operation[list[Object]]:
    try:
        found = yield from server.list(api_version, kind, namespace, labels=labels, fields=fields)
    except (Forbidden, NotFound):
        return []
    items: list[Object] = found["items"]
    return items


def _storage_class(server: Server, claim: Object) -> Operation[Object | None]:
    name = (claim.get("spec") or {}).get("storageClassName")
    if not name:
        return None
    try:
        return (yield from server.find("storage.k8s.io/v1", "StorageClass", name))
    except Forbidden:
        return None


def _lacking(obj: Object, sets: Sequence[Object], own: Sequence[Object]) -> list[Object]:
    """What makes the pods where it has fewer than it wants; its events tell why."""
    maker = newest(obj, sets) if obj["kind"] == "Deployment" else obj
    if maker is None or obj["kind"] == "Pod":
        return []
    spec, status = maker.get("spec") or {}, maker.get("status") or {}
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", spec.get("parallelism", 1)))
    return [maker] if len(own) < wanted else []


def _troubled(own: Iterable[Object]) -> list[Object]:
    now = datetime.now(UTC)
    found = (pod for pod in own if pods.causes(pod) or pods.relapsing(pod, now) or pods.is_slow(pod, now))
    return list(islice(found, LOOKED_INTO))


def _names(objects: Iterable[Object]) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def _revision(obj: Object) -> Any:
    return (obj["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")


def _expression(row: Mapping[str, Any]) -> str:
    key, values = str(row["key"]), ",".join(row.get("values") or [])
    forms: dict[str, str] = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": key,
        "DoesNotExist": f"!{key}",
    }
    return forms[row["operator"]]
