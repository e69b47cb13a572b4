"""What a rollback does, computed before anything is touched: recorded objects against live ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.kube import kinds
from cli.kube.ownership import Path, handover, owns
from cli.rollout.compare import Difference, differences
from cli.rollout.control import OWNER, Manifest
from cli.rollout.records import Record
from components.names import APP, COMPONENT, WORKLOAD
from components.tracks import STOPPED

Key = tuple[str, str, str]
"""(kind, namespace, name) of an object."""

Verb = Literal["create", "apply", "stop", "remove"]

WORKLOADS = tuple(kind for _, kind in kinds.WORKLOADS)
_SELECTING = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy")
_FIRST = ("ConfigMap",)


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
    """What differs between the recorded objects and the live ones, entries first, in the order of the record.

    `replaced`: the record of the release that is left, where there is one.
    """
    before = {key(manifest): manifest for manifest in ((*replaced.entries, *replaced.objects) if replaced else ())}
    wanted = {key(manifest): manifest for manifest in (*record.entries, *record.objects)}
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
    found += tuple(one for one in _start_difference(recorded, live) if one.path not in {row.path for row in found})
    return Action("apply", recorded, live, found) if found else None


def _added(live: Manifest, record: Record) -> Action | None:
    """What the release that is left brought with it: workloads end, and what would still act on a restored one goes."""
    if _labels(live).get(COMPONENT) != APP:
        return None
    if live["kind"] in STOPPED:
        return None if _is_stopped(live) else Action("stop", _stopped(live), live, _stop_difference(live))
    if live["kind"] in _SELECTING and _workload_of(live) in {workload.name for workload in record.workloads}:
        return Action("remove", live, live)
    return None


def _stopped(live: Manifest) -> Manifest:
    """A merge patch with just enough to find the object by."""
    metadata = {field: live["metadata"][field] for field in ("name", "namespace") if field in live["metadata"]}
    field, value = STOPPED[live["kind"]]
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata, "spec": {field: value}}


def _is_stopped(live: Manifest) -> bool:
    field, value = STOPPED[live["kind"]]
    return bool(live["spec"].get(field) == value)


def _stop_difference(live: Manifest) -> tuple[Difference, ...]:
    field, value = STOPPED[live["kind"]]
    return (Difference(f"spec.{field}", live["spec"].get(field), value),)


def _start_difference(recorded: Manifest, live: Manifest) -> tuple[Difference, ...]:
    """Of what an earlier rollback stopped, and the release says nothing of: applied, it runs again."""
    if recorded["kind"] not in STOPPED or not _is_stopped(live):
        return ()
    field, value = STOPPED[recorded["kind"]]
    if recorded["spec"].get(field) is not None or not _is_to_be_ours(live, ("spec", field)):
        return ()
    return (Difference(f"spec.{field}", value, None),)


def _is_to_be_ours(live: Manifest, path: Path) -> bool:
    """Whether an apply that leaves the field out takes it away, once others have handed over theirs."""
    entries = live["metadata"].get("managedFields") or []
    after = handover(entries, OWNER) or entries
    return owns([row for row in after if (row["manager"], row["operation"]) == (OWNER, "Apply")], path)


def waves(found: Iterable[Action]) -> tuple[tuple[Action, ...], ...]:
    """Configuration first, then accounts, roles and policies, then workloads."""
    rows = list(found)
    made = [tuple(action for action in rows if _wave(action) == number) for number in range(3)]
    return tuple(wave for wave in made if wave)


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
    return _labels(manifest).get(WORKLOAD, "")
