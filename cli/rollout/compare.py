"""Where a live object differs from a recorded one, field by field, as a server-side apply would change it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.rollout.control import OWNER, Manifest

_IDENTITY = frozenset({"apiVersion", "kind", "status"})
_DEFAULT_KEYS = {"protocol": "TCP"}
_LIST_KEYS = ("name", "containerPort", "mountPath", "topologyKey", "key", "ip", "uid")


@dataclass(frozen=True)
class Difference:
    """One field: what runs now, and what the record says. None: the field is not there."""

    path: str
    live: Any
    recorded: Any

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.live)} → {_short(self.recorded)}"


def differences(recorded: Manifest, live: Manifest, replaced: Manifest | None = None) -> tuple[Difference, ...]:
    """What an apply of `recorded` changes in `live`.

    Removed are the fields that turnout applied and the record does not have: those it owns by `managedFields`, and
    those that stand in `replaced`, the same object in the release that is left.
    """
    found = {difference.path: difference for difference in _changed(_content(recorded), _content(live), "")}
    for difference in (*_owned_extras(recorded, live), *_replaced_extras(recorded, live, replaced)):
        found.setdefault(difference.path, difference)
    return tuple(found[path] for path in sorted(found))


def _content(manifest: Manifest) -> dict[str, Any]:
    kept = {key: value for key, value in manifest.items() if key not in _IDENTITY and key != "metadata"}
    metadata = manifest["metadata"]
    kept["metadata"] = {key: metadata.get(key) or {} for key in ("labels", "annotations")}
    return kept


def _changed(recorded: Any, live: Any, path: str) -> Iterator[Difference]:
    if recorded is None:
        return
    if isinstance(recorded, Mapping) and isinstance(live, Mapping):
        for key, value in recorded.items():
            yield from _changed(value, live.get(key), _join(path, key))
    elif isinstance(recorded, list) and isinstance(live, list):
        yield from _changed_list(recorded, live, path)
    elif recorded != live and not (_empty(recorded) and live is None):
        yield Difference(path, live, recorded)


def _changed_list(recorded: Sequence[Any], live: Sequence[Any], path: str) -> Iterator[Difference]:
    key = _list_key(recorded) or _list_key(live)
    if key:
        for item in recorded:
            yield from _changed(item, _matching(live, key, item[key]), f"{path}[{item[key]}]")
    elif len(recorded) != len(live):
        yield Difference(path, live, recorded)
    else:
        for index, (one, other) in enumerate(zip(recorded, live, strict=True)):
            yield from _changed(one, other, f"{path}[{index}]")


def _owned_extras(recorded: Manifest, live: Manifest) -> Iterator[Difference]:
    for entry in live["metadata"].get("managedFields") or []:
        if entry.get("manager") == OWNER and entry.get("operation") == "Apply" and not entry.get("subresource"):
            yield from _extras(entry.get("fieldsV1") or {}, _content(recorded), _content(live), "")


def _extras(owned: Mapping[str, Any], recorded: Any, live: Any, path: str) -> Iterator[Difference]:
    """Walks `fieldsV1`: `f:name` is a field, `k:{…}` an item of a list by its keys, `v:…` a value of a set."""
    for step, below in owned.items():
        kind, _, name = step.partition(":")
        if kind == "f":
            yield from _extra_field(name, below, recorded, live, path)
        elif kind == "k":
            yield from _extra_item(json.loads(name), below, recorded, live, path)
        elif kind == "v" and json.loads(name) not in (recorded or []) and json.loads(name) in (live or []):
            yield Difference(f"{path}[{json.loads(name)}]", json.loads(name), None)


def _extra_field(name: str, below: Mapping[str, Any], recorded: Any, live: Any, path: str) -> Iterator[Difference]:
    if not isinstance(live, Mapping) or name not in live:
        return
    if not isinstance(recorded, Mapping) or recorded.get(name) is None:
        if not _empty(live[name]):
            yield Difference(_join(path, name), live[name], None)
    else:
        yield from _extras(below, recorded[name], live[name], _join(path, name))


def _extra_item(
    keys: Mapping[str, Any], below: Mapping[str, Any], recorded: Any, live: Any, path: str
) -> Iterator[Difference]:
    running = _by_keys(live, keys)
    if running is None:
        return
    wanted = _by_keys(recorded, keys)
    where = f"{path}[{next(iter(keys.values()))}]"
    if wanted is None:
        yield Difference(where, running, None)
    else:
        yield from _extras(below, {**keys, **wanted}, running, where)


def _replaced_extras(recorded: Manifest, live: Manifest, replaced: Manifest | None) -> Iterator[Difference]:
    if replaced is not None:
        yield from _gone(_content(replaced), _content(recorded), _content(live), "")


def _gone(replaced: Any, recorded: Any, live: Any, path: str) -> Iterator[Difference]:
    if isinstance(replaced, Mapping) and isinstance(live, Mapping):
        for key, value in replaced.items():
            inner = recorded.get(key) if isinstance(recorded, Mapping) else None
            yield from _gone_below(value, inner, live.get(key), _join(path, key))
    elif isinstance(replaced, list) and isinstance(live, list) and (key := _list_key(replaced)):
        for item in replaced:
            inner = _matching(recorded or [], key, item[key])
            yield from _gone_below(item, inner, _matching(live, key, item[key]), f"{path}[{item[key]}]")


def _gone_below(replaced: Any, recorded: Any, live: Any, path: str) -> Iterator[Difference]:
    if live is None or replaced is None or _empty(live):
        return
    if recorded is None:
        yield Difference(path, live, None)
    else:
        yield from _gone(replaced, recorded, live, path)


def _list_key(items: Sequence[Any]) -> str | None:
    """The field that tells the items of a list apart, as Kubernetes' merge keys do."""
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    for key in _LIST_KEYS:
        values = [item.get(key) for item in items]
        if None not in values and len(set(map(str, values))) == len(values):
            return key
    return None


def _matching(items: Sequence[Any], key: str, value: Any) -> Any:
    return next((item for item in items if isinstance(item, Mapping) and item.get(key) == value), None)


def _by_keys(items: Any, keys: Mapping[str, Any]) -> Any:
    def fits(item: Any) -> bool:
        return isinstance(item, Mapping) and all(
            item.get(key, _DEFAULT_KEYS.get(key)) == value for key, value in keys.items()
        )

    return next(filter(fits, items), None) if isinstance(items, list) else None


def _empty(value: Any) -> bool:
    return value in ({}, [], "", None)


def _join(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _short(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "⏎")
    return text if len(text) <= 60 else text[:57] + "…"
