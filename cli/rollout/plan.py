"""What a rollback does, computed before anything is touched: recorded objects against live ones."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.rollout.book import Release
from cli.rollout.compare import Difference, differences
from cli.rollout.control import COMPONENT, Manifest
from cli.rollout.records import Record

Key = tuple[str, str, str]
"""(kind, namespace, name) of an object."""

Verb = Literal["create", "apply", "stop", "remove"]

APP = "app"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
_SELECTING = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy")
_FIRST = ("ConfigMap",)
_STOPPED: dict[str, dict[str, Any]] = {
    "Deployment": {"spec": {"replicas": 0}},
    "StatefulSet": {"spec": {"replicas": 0}},
    "CronJob": {"spec": {"suspend": True}},
}


@dataclass(frozen=True)
class Action:
    """One object: create it again, apply the recorded one, stop it (0 replicas, suspended), or remove it."""

    verb: Verb
    manifest: Manifest
    live: Manifest | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def key(self) -> Key:
        return key(self.manifest)

    @property
    def title(self) -> str:
        return title(self.key)

    def to_json(self) -> dict[str, Any]:
        return shown(self.verb, self.key, self.differences)


@dataclass(frozen=True)
class Rollback:
    """Everything that going back to `target` does. `gone`: what the record needs and the cluster no longer has."""

    environment: str
    current: Release | None
    target: Release
    record: Record
    actions: tuple[Action, ...] = ()
    gone: tuple[str, ...] = ()
    half_done: bool = False

    @property
    def waves(self) -> tuple[tuple[Action, ...], ...]:
        """Configuration first, then accounts, roles and policies, then all workloads at once."""
        waves = [tuple(action for action in self.actions if _wave(action) == number) for number in range(3)]
        return tuple(wave for wave in waves if wave)

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "from": self.current.number if self.current else None,
            "to": self.target.number,
            "half_done": self.half_done,
            "actions": [action.to_json() for action in self.actions],
            "gone": list(self.gone),
        }


def key(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace") or "", metadata["name"]


def title(place: Key) -> str:
    """`Deployment dev/api-a`"""
    kind, namespace, name = place
    return f"{kind} {namespace}/{name}"


def shown(verb: str, place: Key, fields: Iterable[Difference]) -> dict[str, Any]:
    """What happens to one object, as JSON."""
    kind, namespace, name = place
    changes = [{"path": row.path, "before": row.live, "after": row.recorded} for row in fields]
    return {"verb": verb, "kind": kind, "namespace": namespace, "name": name, "fields": changes}


def actions(record: Record, live: Mapping[Key, Manifest], replaced: Record | None = None) -> tuple[Action, ...]:
    """What differs between the recorded objects and the live ones, in the order of the record.

    `replaced`: the record of the release that is left, where there is one.
    """
    before = {key(manifest): manifest for manifest in (replaced.objects if replaced else ())}
    wanted = {key(manifest): manifest for manifest in record.objects}
    restored = (_restored(manifest, live.get(place), before.get(place)) for place, manifest in wanted.items())
    added = (_added(manifest, record) for place, manifest in sorted(live.items()) if place not in wanted)
    return tuple(action for action in (*restored, *added) if action is not None)


def references(objects: Iterable[Manifest]) -> set[Key]:
    """The ConfigMaps and Secrets without which the pods of these objects do not start."""
    return {reference for manifest in objects for reference in _references(manifest)}


def needed(record: Record, touched: Iterable[Manifest]) -> set[Key]:
    """What the touched objects refer to and the record does not bring itself."""
    return references(touched) - {key(manifest) for manifest in record.objects}


def _restored(recorded: Manifest, live: Manifest | None, before: Manifest | None) -> Action | None:
    if live is None:
        return Action("create", recorded)
    found = differences(recorded, live, before)
    return Action("apply", recorded, live, found) if found else None


def _added(live: Manifest, record: Record) -> Action | None:
    """What the release that is left brought with it: workloads end, and what would still act on a restored one goes."""
    if _labels(live).get(COMPONENT) != APP:
        return None
    if live["kind"] in _STOPPED:
        return None if _is_stopped(live) else Action("stop", _stopped(live), live, _stop_difference(live))
    if live["kind"] in _SELECTING and _workload_of(live) in {workload.name for workload in record.workloads}:
        return Action("remove", live, live)
    return None


def _stopped(live: Manifest) -> Manifest:
    """A merge patch with just enough to find the object by."""
    metadata = {field: live["metadata"][field] for field in ("name", "namespace") if field in live["metadata"]}
    return {
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": metadata,
        **copy.deepcopy(_STOPPED[live["kind"]]),
    }


def _is_stopped(live: Manifest) -> bool:
    (field, value), *_ = _STOPPED[live["kind"]]["spec"].items()
    return bool(live["spec"].get(field) == value)


def _stop_difference(live: Manifest) -> tuple[Difference, ...]:
    (field, value), *_ = _STOPPED[live["kind"]]["spec"].items()
    return (Difference(f"spec.{field}", live["spec"].get(field), value),)


def _wave(action: Action) -> int:
    kind = action.manifest["kind"]
    if kind in _FIRST:
        return 0
    return 2 if kind in WORKLOADS else 1


def _references(manifest: Manifest) -> Iterator[Key]:
    namespace = manifest["metadata"].get("namespace") or ""
    for pod in _pod_specs(manifest):
        for kind, name in _pod_references(pod):
            yield kind, namespace, name


def _pod_specs(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    spec = manifest.get("spec") or {}
    template = spec.get("template") or ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    if "spec" in template:
        yield template["spec"]


def _pod_references(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for secret in pod.get("imagePullSecrets") or []:
        yield "Secret", secret["name"]
    for volume in pod.get("volumes") or []:
        yield from _volume_references(volume)
    for container in (*(pod.get("initContainers") or []), *(pod.get("containers") or [])):
        for source in container.get("envFrom") or []:
            yield from _named(source, "configMapRef", "secretRef", "name")
        for variable in container.get("env") or []:
            yield from _named(variable.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef", "name")


def _volume_references(volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "secret" in volume and not volume["secret"].get("optional"):
        yield "Secret", volume["secret"]["secretName"]
    if "configMap" in volume and not volume["configMap"].get("optional"):
        yield "ConfigMap", volume["configMap"]["name"]
    for source in (volume.get("projected") or {}).get("sources") or []:
        yield from _named(source, "configMap", "secret", "name")


def _named(source: Mapping[str, Any], config_map: str, secret: str, field: str) -> Iterator[tuple[str, str]]:
    for kind, where in (("ConfigMap", config_map), ("Secret", secret)):
        if where in source and not source[where].get("optional"):
            yield kind, source[where][field]


def _labels(manifest: Manifest) -> Mapping[str, str]:
    return manifest["metadata"].get("labels") or {}


def _workload_of(manifest: Manifest) -> str:
    return _labels(manifest).get("app.kubernetes.io/name", "")
