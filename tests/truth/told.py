"""What a preview said, held against what was done. Each untruth is one line for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cli.engine import values
from cli.engine.model import ABSENT, SECRET, UNKNOWN, Change, FieldChange, Operation
from cli.provider import quantity
from cli.review.differences import keyed, unexplained
from components.manifest import lasting
from tests.truth.seen import Address, Done, address

_KUBERNETES: Final = "kubernetes:"
_FITTING: Final = {
    "create": {"create", "same"},
    "update": {"update"},
    "replace": {"replace"},
    "delete": {"delete"},
    "retain": {"same"},
    "import": {"same", "update"},
}


@dataclass
class Tally:
    """What a corpus came to."""

    changes: int = 0
    certain: int = 0
    untruths: list[str] = field(default_factory=list)


def said(preview: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The changes of Kubernetes objects in a preview's document."""
    return [change for change in preview["changes"] if change["type"].startswith(_KUBERNETES)]


def untruths(
    changes: list[dict[str, Any]],
    happened: Mapping[Address, Done],
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    """What was said for certain and did not happen, and what happened and nobody had said. The states are by URN."""
    spoken: set[Address] = set()
    for change in changes:
        sides = [address(state[change["urn"]]) for state in (before, after) if change["urn"] in state]
        spoken |= {*sides}
        if change["certain"]:
            yield from _kept(change, sides, happened)
    for place, what in happened.items():
        if place not in spoken:
            yield f"{what.operation} {' '.join(place)} {_paths(what)}: nobody had said so"


def _kept(change: Mapping[str, Any], sides: list[Address], happened: Mapping[Address, Done]) -> Iterator[str]:
    """Whether one promise was kept. What was retained before is taken in again where it is created once more."""
    if not sides:
        yield f"{change['operation']} {change['name']}: no state knows it"
    elif len({*sides}) > 1:
        yield from _fits("replace", sides[0], happened, {"delete", "same"})
        yield from _fits("replace", sides[1], happened, {"create", "same"})
    else:
        yield from _fits(change["operation"], sides[0], happened, _FITTING[change["operation"]])
        if change["operation"] == "update" and sides[0] in happened:
            yield from _fields(sides[0], change, happened[sides[0]])
            yield from _values(sides[0], change, happened[sides[0]])


def _fits(wanted: str, place: Address, happened: Mapping[Address, Done], fitting: set[str]) -> Iterator[str]:
    got = happened[place].operation if place in happened else "same"
    if got not in fitting:
        yield f"{wanted} {' '.join(place)}: {got} happened"


def _fields(place: Address, change: Mapping[str, Any], what: Done) -> Iterator[str]:
    """Each field that was named differs, and each one that differs was named, at it or around it."""
    named = {values.parse_path(entry["path"]): entry["certain"] for entry in change["fields"]}
    for path, certain in named.items():
        if certain and not any(_meet(path, real) for real in what.paths):
            yield f"update {' '.join(place)}: {values.format_path(path)} did not change"
    for real in what.paths:
        if not any(_meet(path, real) for path in named):
            yield f"update {' '.join(place)}: nobody had named {values.format_path(real)}"


def _values(place: Address, change: Mapping[str, Any], what: Done) -> Iterator[str]:
    """Each value that was named for certain is there now. Secrets, whole maps and lists, and what goes are passed over:
    a server fills in beside them what nobody asked for."""
    for entry in change["fields"]:
        path, wanted = values.parse_path(entry["path"]), entry.get("after")
        changed = any(_meet(path, real) for real in what.paths)
        if not (entry["certain"] and changed and not entry["secret"] and _is_told(wanted)):
            continue
        real = values.look_up_shown(what.now, path)
        if not _is_same(wanted, real):
            yield f"update {' '.join(place)}: {values.format_path(path)} is {real!r}, not {wanted!r}"


def _is_told(wanted: Any) -> bool:
    """Whether it is one value, all of which is said."""
    return isinstance(wanted, str | int | float) and not any(hidden in str(wanted) for hidden in (SECRET, UNKNOWN))


def _is_same(wanted: Any, real: Any) -> bool:
    """Whether two spellings mean one value; a server leaves out what is empty."""
    if real is ABSENT:
        return wanted in ("", 0)
    if isinstance(wanted, bool) or isinstance(real, bool):
        return wanted is real
    return str(wanted) == str(real) or wanted == real or _is_as_much(wanted, real)


def _is_as_much(wanted: Any, real: Any) -> bool:
    try:
        return quantity.exact(wanted) == quantity.exact(real)
    except ValueError:
        return False


def _meet(one: values.Path, other: values.Path) -> bool:
    """Whether one path lies at or within the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _paths(what: Done) -> str:
    return ", ".join(values.format_path(path) for path in what.paths)


def outline(changes: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Changes as operation, kind and lasting name: what an outcome can be held against."""
    return {(change["operation"], change["type"].rsplit(":", 1)[-1], lasting(change["name"])) for change in changes}


def disagreements(hermetic: list[dict[str, Any]], live: list[dict[str, Any]]) -> Iterator[str]:
    """What the two modes tell differently, and no entry of `cli.review.differences` explains."""
    one, other = keyed(map(_change, hermetic)), keyed(map(_change, live))
    for place in sorted({*one, *other}):
        if place not in other:
            yield f"hermetic only: {one[place].operation} {' '.join(place)}"
        elif place not in one:
            yield f"live only: {other[place].operation} {' '.join(place)}"
        else:
            yield from (f"{' '.join(place)}: {path}" for path in unexplained(one[place], other[place]))


def _change(said: Mapping[str, Any]) -> Change:
    fields = tuple(FieldChange(**{"before": ABSENT, "after": ABSENT, **entry}) for entry in said["fields"])
    return Change(said["urn"], said["type"], said["name"], Operation(said["operation"]), fields=fields)
