"""Who owns which field: the hand-over before an apply, and what an apply must leave out.

A field set by a POST or by kubectl belongs to an *Update* entry in `managedFields`. An apply that no longer names it
would leave it in place, since the applier never owned it. So before an apply such entries are merged into the applier's
own *Apply* entry. The managers taken over are those that pulumi-kubernetes 4.x takes over, by the same prefixes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Entry = dict[str, Any]
Path = tuple[str | int, ...]

CREATOR = "pulumi-kubernetes"
"""The manager of a POST: the official provider's own, so that whoever applies next takes over what it set."""
TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATOR, "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)


def handover(managed_fields: Sequence[Entry], to_manager: str) -> list[Entry] | None:
    """The `managedFields` after all was handed over to the Apply entry of `to_manager`; None when nothing is to be."""
    giving = [entry for entry in managed_fields if _gives(entry, to_manager)]
    if not giving:
        return None
    own = next((entry for entry in managed_fields if _is_own(entry, to_manager)), None)
    rest = [entry for entry in managed_fields if entry not in giving and entry is not own]
    heads = [own, *giving] if own else giving
    return [*rest, {**heads[0], "manager": to_manager, "operation": "Apply", "fieldsV1": union(heads)}]


def handover_patch(live: Mapping[str, Any], to_manager: str) -> list[Entry] | None:
    """A JSON patch that hands over, and fails when the object has changed meanwhile."""
    metadata = live["metadata"]
    entries = handover(metadata.get("managedFields") or [], to_manager)
    return None if entries is None else replacing(metadata, entries)


def replacing(metadata: Mapping[str, Any], entries: Sequence[Entry]) -> list[Entry]:
    """A JSON patch to these `managedFields`, which fails when the object has changed meanwhile."""
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
    ]


def owns(entries: Iterable[Entry], path: Path) -> bool:
    """Whether one of the entries owns the field at `path` or something below it."""
    return any(_has(entry.get("fieldsV1") or {}, path) for entry in entries)


def owners(managed_fields: Iterable[Entry], path: Path) -> list[str]:
    """The managers that own the field at `path` or something below it."""
    return sorted({entry["manager"] for entry in managed_fields if owns([entry], path)})


def is_of_others(managed_fields: Sequence[Entry], path: Path, manager: str) -> bool:
    """Whether other managers own the field and `manager` has no share in it."""
    ours = [entry for entry in managed_fields if entry.get("manager") == manager]
    theirs = [entry for entry in managed_fields if entry.get("manager") != manager]
    return owns(theirs, path) and not owns(ours, path)


def _gives(entry: Entry, to_manager: str) -> bool:
    if entry.get("subresource") or _is_own(entry, to_manager):
        return False
    return any(entry["manager"].startswith(prefix) and entry["operation"] == how for prefix, how in TAKEN_OVER)


def _is_own(entry: Entry, manager: str) -> bool:
    return entry["manager"] == manager and entry["operation"] == "Apply" and not entry.get("subresource")


def union(entries: Iterable[Entry]) -> Entry:
    whole: Entry = {}
    for entry in entries:
        whole = merged(whole, entry.get("fieldsV1") or {})
    return whole


def merged(one: Entry, other: Entry) -> Entry:
    """Two FieldsV1 trees as one."""
    both = {key: merged(one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **both}


def _has(fields: Mapping[str, Any], path: Path) -> bool:
    """`fields` is a FieldsV1 tree. A list's index cannot be matched to its keyed entries: a path ends at the list."""
    for step in path:
        if isinstance(step, int):
            return True
        if f"f:{step}" not in fields:
            return False
        fields = fields[f"f:{step}"]
    return True
