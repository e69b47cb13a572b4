"""The settings of environments side by side: what each comes to, with all defaults, and where that is said. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cli.validate.parity.model import Cell, Row
from cli.validate.project import Environment
from cli.validate.secrets import ciphertexts
from components.secret import Secret
from infra.document import place_text
from infra.faults import Place
from infra.model import Settings, completed
from infra.sealed import secret_paths

ABSENT: Final = object()
_OWN: Final = {
    "cluster": "its own cluster",
    "app.image": "its own release",
    "app.version": "its own release",
    "app.digest": "its own release",
    "alertmanager.heartbeat.url": "its own address",
    "prometheus.runbooks": "its own address",
}
_SIZES: Final = frozenset(
    {"replicas", "autoscale", "resources", "storage", "storage_class", "retention", "series_budget", "connections"}
    | {"limits", "queue", "state"}
)


def rows(environments: Sequence[Environment], levelled: Sequence[Environment] = ()) -> tuple[Row, ...]:
    """Every setting whose value is not the same in all, in the order of the model; secrets left out.

    `levelled`: all but the first one, at the first one's tier (`levelled.py`).
    """
    found = {each.name: _effective(each) for each in environments}
    at_first = [_effective(each) for each in levelled]
    places = list(dict.fromkeys(place for values in found.values() for place in values))
    rows = (_row(place, environments, found, at_first) for place in places if not _is_nested(place, found))
    return tuple(row for row in rows if row)


def _is_nested(place: Place, found: Mapping[str, Mapping[Place, Any]]) -> bool:
    """Whether one environment has nothing there, and another one several settings."""
    return any(len(other) > len(place) and other[: len(place)] == place for there in found.values() for other in there)


def secrets(environments: Sequence[Environment]) -> tuple[Row, ...]:
    """Each secret that not all of them hold, or that two hold with one ciphertext."""
    held = {each.name: ciphertexts(each) for each in environments}
    required = [(leaf.section, *leaf.path) for leaf in secret_paths() if leaf.required and "*" not in leaf.path]
    places: list[Place] = list(dict.fromkeys([*required, *(place for each in held.values() for place in each)]))
    return tuple(row for place in places if (row := _secret(place, environments, held)))


def _secret(place: Place, environments: Sequence[Environment], held: Mapping[str, Mapping[Place, str]]) -> Row | None:
    texts = {name: there.get(place) for name, there in held.items()}
    known = [text for text in texts.values() if text]
    shared = len(set(known)) < len(known)
    if not shared and len(known) in (0, len(texts)):
        return None
    cells = {}
    for each in environments:
        text = texts[each.name]
        word = "absent" if not text else "same ciphertext" if known.count(text) > 1 else "present"
        cells[each.name] = Cell(word, _line(each, place) if text else "")
    return Row(place_text(str(place[0]), place[1:]), cells)


def _row(
    place: Place,
    environments: Sequence[Environment],
    found: Mapping[str, Mapping[Place, Any]],
    at_first: Sequence[Mapping[Place, Any]],
) -> Row | None:
    values = {name: there.get(place, ABSENT) for name, there in found.items()}
    if len({_key(value) for value in values.values()}) == 1:
        return None
    cells = {each.name: _cell(each, place, values[each.name]) for each in environments}
    first = _key(next(iter(values.values())))
    by_tier = bool(at_first) and all(_key(there.get(place, ABSENT)) == first for there in at_first)
    by_default = all(not cell.source or cell.source == "default" for cell in cells.values())
    return Row(place_text(str(place[0]), place[1:]), cells, _expected(place, by_tier=by_tier or by_default))


def _cell(environment: Environment, place: Place, value: Any) -> Cell:
    if value is ABSENT:
        return Cell(None)
    written = _at(completed(environment.opened, environment.name), place)
    shown = value if written is ABSENT or isinstance(written, Mapping) else written
    return Cell(_plain(shown), _source(environment, place, written))


def _source(environment: Environment, place: Place, written: Any) -> str:
    if any(environment.says(*place[:end]) for end in range(len(place), 1, -1)) and _said(environment, place):
        return _line(environment, place)
    tier = environment.settings.tier if environment.settings else ""
    return "default" if written is ABSENT else f"tier {tier}"


def _said(environment: Environment, place: Place) -> bool:
    return environment.says(*place) or isinstance(environment.value(*place[:-1]), list)


def _line(environment: Environment, place: Place) -> str:
    return f"{environment.file}:{environment.read.line(place)}"


def _expected(place: Place, *, by_tier: bool) -> str:
    dotted = ".".join(map(str, place))
    for own, why in _OWN.items():
        if dotted == own or dotted.startswith(f"{own}."):
            return why
    if by_tier:
        return "tier"
    return "size" if any(str(step) in _SIZES for step in place[1:]) else ""


def _effective(environment: Environment) -> dict[Place, Any]:
    """Every leaf of the settings as they are used; lists are one leaf."""
    assert environment.settings is not None
    whole = environment.settings.model_dump(by_alias=True, mode="python")
    names = [field.alias or name for name, field in Settings.model_fields.items() if name != "environment"]
    return dict(leaf for name in names for leaf in _leaves(whole[name], (name,)))


def _leaves(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from _leaves(entry, (*place, str(key).rstrip("_")))
    elif not isinstance(value, Secret) and value != "[secret]":
        yield place, value


def _at(found: Any, place: Place) -> Any:
    for step in place:
        if not isinstance(found, Mapping) or step not in found:
            return ABSENT
        found = found[step]
    return found


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _key(value: Any) -> str:
    return "absent" if value is ABSENT else json.dumps(value, default=str, sort_keys=True)
