"""Compares the cluster's own list of objects with the state's and with the program's: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.soak.desired import KEY, REFERENCE, Wanted

Object = dict[str, Any]

OF_THE_SYSTEM = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})


@dataclass(frozen=True)
class Row:
    """A resource of the state."""

    key: str
    kind: str
    id: str
    live: bool


def rows(state: Mapping[str, Any]) -> list[Row]:
    """The Kubernetes objects of an exported state; those that wait for their deletion are not `live`."""
    resources = (state.get("deployment") or {}).get("resources") or []
    return [
        Row(
            entry["urn"].rpartition("::")[2],
            entry["type"].rpartition(":")[2],
            entry.get("id", ""),
            not entry.get("delete") and not entry.get("pendingReplacement"),
        )
        for entry in resources
        if entry["type"].startswith("kubernetes:")
    ]


def unfinished(state: Mapping[str, Any]) -> list[str]:
    """What a whole state does not hold: operations under way, resources half replaced or never ready."""
    deployment = state.get("deployment") or {}
    pending = deployment.get("pending_operations") or []
    return [
        *(f"{entry['type']} {entry['resource']['urn']} is pending in the state" for entry in pending),
        *(f"{row.kind} {row.id} waits in the state for its deletion" for row in rows(state) if not row.live),
        *(
            f"{entry['urn']} has errors in the state: {entry['initErrors']}"
            for entry in deployment.get("resources") or []
            if entry.get("initErrors")
        ),
    ]


def faults(objects: Sequence[Object], state: Mapping[str, Any], program: Sequence[Wanted]) -> list[str]:
    """Everything on which cluster, state and program do not agree; nothing when all is well."""
    held = rows(state)
    return [
        *unfinished(state),
        *_state_against_program(held, program),
        *_cluster_against_state(objects, held),
        *_made_twice(objects),
        *_content(objects, held, program),
    ]


def _state_against_program(held: Iterable[Row], program: Iterable[Wanted]) -> Iterator[str]:
    in_state = Counter((row.kind, row.key) for row in held if row.live)
    in_program = Counter((entry.kind, entry.key) for entry in program)
    for kind, key in in_program - in_state:
        yield f"{kind} {key} is missing from the state"
    for kind, key in in_state - in_program:
        yield f"{kind} {key} is in the state, but not in the program"


def _cluster_against_state(objects: Sequence[Object], held: Sequence[Row]) -> Iterator[str]:
    uids = {entry["metadata"]["uid"] for entry in objects}
    known = {(row.kind, row.id) for row in held}
    there = {(entry["kind"], place(entry)) for entry in objects}
    for kind, where in sorted(known - there):
        yield f"{kind} {where} is in the state, but not in the cluster"
    for entry in objects:
        if (entry["kind"], place(entry)) in known or _of_the_system(entry):
            continue
        owners = entry["metadata"].get("ownerReferences") or []
        if not owners:
            yield f"{entry['kind']} {place(entry)} is in the cluster, but not in the state: orphaned"
        elif not any(owner["uid"] in uids for owner in owners):
            yield f"{entry['kind']} {place(entry)} is owned by {owners[0]['kind']} {owners[0]['name']}, which is gone"


def _made_twice(objects: Iterable[Object]) -> Iterator[str]:
    keys = Counter((entry["kind"], key) for entry in objects if (key := _key(entry)))
    for (kind, key), count in keys.items():
        if count > 1:
            yield f"{kind} {key} is {count} times in the cluster"


def _content(objects: Iterable[Object], held: Iterable[Row], program: Iterable[Wanted]) -> Iterator[str]:
    by_place = {(entry["kind"], place(entry)): entry for entry in objects}
    ids = {(row.kind, row.key): row.id for row in held if row.live}
    names = {key: where.rpartition("/")[2] for (_, key), where in ids.items()}
    for entry in program:
        live = by_place.get((entry.kind, ids.get((entry.kind, entry.key), "")))
        if live is None:
            continue
        if live["metadata"].get("deletionTimestamp"):
            yield f"{entry.kind} {entry.key} is being deleted"
        for path in differing(entry.manifest, live, names):
            yield f"{entry.kind} {entry.key}: {path} is not what the program asks for"


def differing(wanted: Any, live: Any, names: Mapping[str, str], path: str = "") -> Iterator[str]:
    """The paths in which `live` does not hold what is wanted; what else it holds does not matter."""
    if isinstance(wanted, dict):
        found = live if isinstance(live, dict) else {}
        for key, value in wanted.items():
            yield from differing(value, found.get(key), names, f"{path}.{key}" if path else key)
    elif isinstance(wanted, list):
        others = live if isinstance(live, list) else []
        if len(others) != len(wanted):
            yield path
        for number, (value, other) in enumerate(zip(wanted, others, strict=False)):
            yield from differing(value, other, names, f"{path}[{number}]")
    elif _meant(wanted, names) != live:
        yield path


def place(entry: Object) -> str:
    """`namespace/name`, which is the id that the provider gives."""
    return f"{entry['metadata']['namespace']}/{entry['metadata']['name']}"


def _meant(wanted: Any, names: Mapping[str, str]) -> Any:
    if isinstance(wanted, str) and wanted.startswith(REFERENCE):
        return names.get(wanted.removeprefix(REFERENCE))
    return wanted


def _key(entry: Object) -> str:
    if entry["metadata"].get("ownerReferences"):
        return ""
    return str((entry["metadata"].get("labels") or {}).get(KEY, ""))


def _of_the_system(entry: Object) -> bool:
    return (entry["kind"], entry["metadata"]["name"]) in OF_THE_SYSTEM
