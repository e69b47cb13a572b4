"""What has moved since a plan was saved: in the world that it is bound to, and in what an apply would do. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli.plans.saved import ABSENT, World

_SHORT: Final = 12
_LONGEST: Final = 80
_SHOWN: Final = 12
_NONE: Final = "(none)"
_ALIKE: Final = ("type", "operation", "fields", "certain")


@dataclass(frozen=True)
class Moved:
    """One thing that is not as it was. An empty side: it was not there."""

    what: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if not self.before and not self.after:
            return self.what
        return f"{self.what}: {self.before or _NONE} → {self.after or _NONE}"


def in_world(then: World, now: World) -> list[Moved]:
    """What the plan was bound to and is another now, the checkout first."""
    return [
        *_value("commit", _commit(then), _commit(now)),
        *_files(then.files, now.files),
        *_value("state", str(then.state), str(now.state), differ=then.state.digest != now.state.digest),
        *_value("cluster", _cluster(then), _cluster(now)),
        *_entries("tracks of", then.tracks, now.tracks),
        *_entries("pin", then.pins, now.pins),
        *_value("engine", then.engine, now.engine),
        *_value("provider", then.provider, now.provider),
        *_value("turnout", then.turnout, now.turnout),
    ]


def in_changes(then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[Moved]:
    """Changes that an apply would make now and the plan does not hold, that it holds and are gone, or that differ."""
    before, after = _by_urn(then), _by_urn(now)
    return [
        moved
        for urn in sorted({*before, *after})
        for moved in _change(before.get(urn, {}), after.get(urn, {}))
        if before.get(urn) != after.get(urn)
    ]


def in_objects(then: Mapping[str, str], now: Mapping[str, str]) -> list[Moved]:
    """Live objects of changes that both plans have, and that somebody else has written since."""
    return [
        Moved(f"{_of_urn(urn)} in the cluster {_became(then[urn], now[urn])}")
        for urn in sorted(then.keys() & now.keys())
        if then[urn] != now[urn]
    ]


def lines(moved: Sequence[Moved]) -> list[str]:
    """One line each; of very many the first ones and their number."""
    shown = [str(one) for one in moved[:_SHOWN]]
    return [*shown, f"… and {len(moved) - _SHOWN} more"] if len(moved) > _SHOWN else shown


def _became(before: str, after: str) -> str:
    words = {(True, False): "was made by somebody else", (False, True): "is gone"}
    return words.get((before == ABSENT, after == ABSENT), "was changed by somebody else")


def _of_urn(urn: str) -> str:
    *_, kind, name = urn.split("::")
    return f"{kind.rpartition(':')[2]} {name}"


def _value(what: str, before: str, after: str, *, differ: bool | None = None) -> Iterator[Moved]:
    if before != after if differ is None else differ:
        yield Moved(what, before, after)


def _commit(world: World) -> str:
    return world.commit[:_SHORT] + ("" if world.clean or not world.commit else " with changes of your own")


def _cluster(world: World) -> str:
    return f"{world.server} ({world.cluster})"


def _files(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Moved]:
    for path in sorted({*then, *now}):
        if then.get(path) != now.get(path):
            words = "was edited" if path in then and path in now else "is gone" if path in then else "is new"
            yield Moved(f"{path} {words}")


def _entries(what: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Moved]:
    for key in sorted({*then, *now}):
        yield from _value(f"{what} {key}", then.get(key, ""), now.get(key, ""))


def _by_urn(changes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(change.get("urn")): _compared(change) for change in changes}


def _compared(change: Mapping[str, Any]) -> dict[str, Any]:
    """As data of JSON, in one order, less what no apply depends on."""
    kept = {key: change.get(key) for key in (*_ALIKE, "name")}
    kept["fields"] = sorted(change.get("fields") or (), key=lambda field: json.dumps(field, sort_keys=True))
    data: dict[str, Any] = json.loads(json.dumps(kept))
    return data


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Moved]:
    if not after:
        yield Moved(f"{_named(before)} is in the plan and would not happen now")
    elif not before:
        yield Moved(f"{_named(after)} would happen now and is not in the plan")
    elif before["operation"] != after["operation"]:
        yield Moved(_resource(before), str(before["operation"]), str(after["operation"]))
    else:
        yield from _fields(before, after)


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Moved]:
    then, now = ({field["path"]: field for field in side["fields"]} for side in (before, after))
    paths = [path for path in sorted({*then, *now}) if then.get(path) != now.get(path)]
    for path in paths:
        yield Moved(f"{_resource(after)} {path}", _step(then.get(path)), _step(now.get(path)))
    if not paths:
        yield Moved(f"{_named(after)} would have other effects now")


def _step(field: Mapping[str, Any] | None) -> str:
    if field is None:
        return "no change"
    return f"[{_shown(field, 'before')} → {_shown(field, 'after')}]"


def _shown(field: Mapping[str, Any], side: str) -> str:
    if side not in field:
        return _NONE
    text = json.dumps(field[side], ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _named(change: Mapping[str, Any]) -> str:
    return f"{change['operation']} of {_resource(change)}"


def _resource(change: Mapping[str, Any]) -> str:
    return f"{str(change['type']).rpartition(':')[2]} {change['name']}"
