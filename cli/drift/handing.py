"""Hands single fields over between the owners in `managedFields`, so that an apply which no longer names them removes
them, and nothing else of their owner's. Pure."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cli.drift import managers
from cli.drift.managed import Item, Path
from cli.kube.ownership import merged, replacing, union

Entry = dict[str, Any]


def patch(live: Mapping[str, Any], paths: Iterable[Path], manager: str) -> list[Entry] | None:
    """A JSON patch after which `manager` owns by apply what turnout made, and the fields at `paths`, whoever had them.

    It fails when the object has changed meanwhile. None when there is nothing to hand over.
    """
    metadata = live["metadata"]
    before: list[Entry] = metadata.get("managedFields") or []
    after = handed(before, list(paths), manager)
    return None if after == before else replacing(metadata, after)


def handed(entries: Sequence[Entry], paths: Sequence[Path], manager: str) -> list[Entry]:
    """The entries after that."""
    own, rest = _own(entries, manager), []
    moved = [entry for entry in entries if _made_by_us(entry, manager)]
    whole = union(([own] if own else []) + moved)
    for entry in entries:
        if entry is own or entry in moved:
            continue
        left = copy.deepcopy(entry)
        if entry.get("subresource") != "status":
            for path in paths:
                whole = merged(whole, _cut(left.get("fieldsV1") or {}, path))
        if left.get("fieldsV1"):
            rest.append(left)
    if not (own or moved or whole):
        return list(entries)
    first = (own or (moved[0] if moved else entries[0])) | {"manager": manager, "operation": "Apply", "fieldsV1": whole}
    first.pop("subresource", None)
    return [*rest, first]


def _own(entries: Sequence[Entry], manager: str) -> Entry | None:
    fits = (
        entry
        for entry in entries
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
    )
    return next(fits, None)


def _made_by_us(entry: Entry, manager: str) -> bool:
    is_first = managers.is_own(str(entry.get("manager", ""))) and entry.get("manager") != manager
    return is_first and entry.get("operation") == "Update" and not entry.get("subresource")


def _cut(fields: Entry, path: Path) -> Entry:
    """Takes what is at a path out of a tree; returns it with the way to it, empty where there is nothing."""
    key = next((name for name in fields if _leads(name, path[0])), None)
    if key is None:
        return {}
    if len(path) == 1:
        return {key: fields.pop(key)}
    below = fields[key]
    taken = _cut(below, path[1:]) if below else {}
    if taken and not below:
        del fields[key]
    return {key: taken} if taken else {}


def _leads(name: str, step: Any) -> bool:
    if isinstance(step, Item):
        return name.startswith("k:") and bool(json.loads(name[2:]) == dict(step.keys))
    return isinstance(step, str) and name == f"f:{step}"
