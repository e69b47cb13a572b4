"""Diff without asking the cluster.

What the object was at the last look, pruned to what was asked for then, against what is asked for now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cli.protocol import AUTONAMED
from cli.provider import marks, paths, replacements
from cli.provider.paths import Path
from cli.provider.replacements import Mutable
from cli.provider.values import UNKNOWN, Properties

MISSING: Any = object()


class Kind(Enum):
    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class Change:
    path: Path
    kind: Kind
    replaces: bool = False


@dataclass(frozen=True)
class Difference:
    changes: Sequence[Change] = field(default_factory=list)
    delete_first: bool = False

    @property
    def replaces(self) -> list[str]:
        return [paths.write(change.path) for change in self.changes if change.replaces]


def diff(
    live: Properties,
    old: Properties,
    new: Properties,
    *,
    namespaced: bool,
    mutable: Mutable | None = None,
    ignore: Iterable[str] = (),
    patch: bool = False,
) -> Difference:
    """What an update would change. All are plain (no secrets); `old` and `new` as `check.normalise` leaves them."""
    before = _comparable(prune(live, old), namespaced)
    after = _comparable(new, namespaced)
    if is_set(after, "name"):
        before = _with(before, "name", live["metadata"]["name"])
    ignored = [paths.parse(text) for text in ignore]
    rules = replacements.identity() if patch else replacements.fields(new, mutable or Mutable())
    changes = [
        _judged(path, kind, value, rules)
        for path, kind, value in compare(before, after)
        if not any(paths.covers(pattern, path) for pattern in ignored)
    ]
    return Difference(
        changes, delete_first=any(change.replaces for change in changes) and must_go_first(live, new, namespaced)
    )


def prune(live: Any, shape: Any) -> Any:
    """`live` cut down to the keys and list lengths of `shape`; where the two differ in type, `live` as it is."""
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: prune(value, shape[key]) for key, value in live.items() if key in shape}
    if isinstance(live, list) and isinstance(shape, list):
        if live and shape and type(live[0]) is not type(shape[0]):
            return live
        return [prune(value, wanted) for value, wanted in zip(live, shape, strict=False)]
    return live


def compare(before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, Kind, Any]]:
    """(path, what happens there, new value) for each difference."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from compare(before.get(key, MISSING), after.get(key, MISSING), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from compare(_at(before, index), _at(after, index), (*path, index))
    elif after is UNKNOWN:
        yield path, Kind.ADD if before is MISSING else Kind.UPDATE, None
    elif after is MISSING or (after is None and before is not None):
        yield path, Kind.DELETE, None
    elif before is MISSING:
        yield path, Kind.ADD, after
    elif not same(before, after):
        yield path, Kind.UPDATE, after


def is_set(obj: Properties, key: str) -> bool:
    return paths.get(obj, ("metadata", key)) not in (None, "", UNKNOWN)


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else MISSING


def _judged(path: Path, kind: Kind, value: Any, rules: Iterable[Path]) -> Change:
    gone = kind is Kind.DELETE and path == ("metadata",)
    return Change(path, kind, gone or any(paths.touches(rule, path, value) for rule in rules))


def must_go_first(live: Properties, new: Properties, namespaced: bool) -> bool:
    """Two objects of one name cannot be there at once; a name that we made up ourselves is made up anew."""
    return (
        (paths.get(new, ("metadata", "name")) is UNKNOWN or is_set(new, "name"))
        and not marks.is_true(new, AUTONAMED)
        and paths.get(new, ("metadata", "name")) == live["metadata"]["name"]
        and _namespace(new, namespaced) == _namespace(live, namespaced)
    )


def _namespace(obj: Properties, namespaced: bool) -> Any:
    return (paths.get(obj, ("metadata", "namespace")) or "default") if namespaced else ""


def _comparable(obj: Properties, namespaced: bool) -> Properties:
    """No namespace and `default` are the same; a cluster-wide object has none; a resourceVersion is never asked for."""
    rest = {key: value for key, value in obj.items() if not key.startswith("__")}
    if paths.get(obj, ("metadata", "namespace")) is UNKNOWN:
        return rest
    rest = paths.drop(rest, ("metadata", "resourceVersion"))
    return (
        _with(rest, "namespace", _namespace(obj, True)) if namespaced else paths.drop(rest, ("metadata", "namespace"))
    )


def _with(obj: Properties, key: str, value: Any) -> Properties:
    metadata = obj.get("metadata")
    return {**obj, "metadata": {**metadata, key: value}} if isinstance(metadata, dict) else obj


def same(one: Any, other: Any) -> bool:
    """Equal, as JSON has it: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The top-level keys that differ (for provider settings)."""
    return [key for key in sorted({*old, *new}) if not same(old.get(key, MISSING), new.get(key, MISSING))]
