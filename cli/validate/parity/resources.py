"""What environments come to, side by side: the same resources, less the environment's name and the hashes of content.

Pure. A release's record is left out: it is compressed, and another in every environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli.engine.graph import Resource, ResourceGraph
from cli.engine.model import SECRET
from cli.review.fields import is_record
from cli.validate.parity.model import NOWHERE, Cell, Lone, Row
from components.names import CONTENT, TEMPLATE

ANY: Final = "ENV"
HASH: Final = "[hash]"
_SIZES: Final = re.compile(
    r"(^|\.)(replicas|minReplicas|maxReplicas|resources|requests|limits|storage|terminationGracePeriodSeconds"
    r"|progressDeadlineSeconds|minReadySeconds|minAvailable|maxUnavailable|maxSurge|failureThreshold|periodSeconds"
    r"|sizeLimit|averageUtilization|DRAIN_SECONDS|GOMEMLIMIT|GOMAXPROCS)\b|retention"
)
_STEPS: Final = re.compile(r"(?=[.\[])")
_IMAGE: Final = re.compile(r"(^|\.)image(PullPolicy)?$")
_LONGEST: Final = 120

Leaves = Mapping[str, Any]


def compare(
    graphs: Mapping[str, ResourceGraph], levelled: Mapping[str, ResourceGraph]
) -> tuple[tuple[Lone, ...], tuple[Row, ...]]:
    """Resources that some lack, and fields that differ, each with all the resources that differ alike.

    `levelled`: all but the first one, at the first one's tier (`levelled.py`); empty: nobody knows.
    """
    found = {name: _resources(graph) for name, graph in graphs.items()}
    sides = Sides(found, [_resources(graph) for graph in levelled.values()])
    every = list(dict.fromkeys(key for there in found.values() for key in there))
    lone = [_lone(key, sides) for key in every if any(key not in there for there in found.values())]
    shared = [key for key in every if all(key in there for there in found.values())]
    return tuple(lone), tuple(_grouped(row for key in shared for row in _fields(key, sides)))


@dataclass(frozen=True)
class Sides:
    """The resources of each environment, and of all but the first at the first one's tier."""

    found: Mapping[str, Mapping[str, Leaves]]
    levelled: Sequence[Mapping[str, Leaves]]

    @property
    def first(self) -> Mapping[str, Leaves]:
        return next(iter(self.found.values()))

    def by_tier(self, key: str, path: str = "") -> bool:
        """Whether nothing of the difference is left at one tier."""
        if not path:
            return bool(self.levelled) and all((key in there) == (key in self.first) for there in self.levelled)
        wanted = repr(self.first[key].get(path, NOWHERE))
        return bool(self.levelled) and all(
            repr(there.get(key, {}).get(path, NOWHERE)) == wanted for there in self.levelled
        )


def _lone(key: str, sides: Sides) -> Lone:
    why = "tier" if sides.by_tier(key) else "size" if key.startswith("HorizontalPodAutoscaler ") else ""
    return Lone(key, tuple(name for name, there in sides.found.items() if key in there), why)


def _fields(key: str, sides: Sides) -> Iterator[Row]:
    there = {name: found[key] for name, found in sides.found.items()}
    told: set[str] = set()
    for path in dict.fromkeys(path for leaves in there.values() for path in leaves):
        values = {name: leaves.get(path, NOWHERE) for name, leaves in there.items()}
        if len({repr(value) for value in values.values()}) == 1:
            continue
        whole = _missing(path, [leaves for leaves in there.values() if path not in leaves])
        if whole not in told:
            told.add(whole)
            shown = _shortened(values) if whole == path else {name: _part(there[name], whole) for name in there}
            cells = {name: Cell(value) for name, value in shown.items()}
            yield Row(whole, cells, _expected(path, by_tier=sides.by_tier(key, path)), (key,))


def _missing(path: str, lacking: Sequence[Leaves]) -> str:
    """The outermost part of a path that is not there at all where the path is not: one row instead of many."""
    steps = _STEPS.split(path)
    for end in range(1, len(steps)):
        outer = "".join(steps[:end])
        if lacking and not any(each.startswith((f"{outer}.", f"{outer}[")) for leaves in lacking for each in leaves):
            return outer
    return path


def _part(leaves: Leaves, outer: str) -> Any:
    inside = [path for path in leaves if path.startswith((f"{outer}.", f"{outer}["))]
    return f"there, with {len(inside)} fields" if inside else NOWHERE


def _grouped(rows: Iterator[Row]) -> Iterator[Row]:
    """One row for the same difference of many resources."""
    alike: dict[str, list[Row]] = {}
    for row in rows:
        alike.setdefault(repr((row.path, row.expected, [cell.value for cell in row.cells.values()])), []).append(row)
    for group in alike.values():
        first = group[0]
        yield Row(first.path, first.cells, first.expected, tuple(row.resources[0] for row in group))


def _expected(path: str, *, by_tier: bool) -> str:
    if _IMAGE.search(path):
        return "its own release"
    if by_tier:
        return "tier"
    return "size" if _SIZES.search(path) else ""


def _shortened(values: Mapping[str, Any]) -> dict[str, Any]:
    """Long texts by the first line in which they differ."""
    texts = [value.splitlines() for value in values.values() if isinstance(value, str)]
    if not any("\n" in value for value in values.values() if isinstance(value, str)) or len(texts) < 2:
        return dict(values)
    same = next((at for at, lines in enumerate(zip(*texts, strict=False)) if len(set(lines)) > 1), min(map(len, texts)))
    return {name: _line(value, same) if isinstance(value, str) else value for name, value in values.items()}


def _line(text: str, at: int) -> str:
    lines = text.splitlines()
    said = lines[at].strip() if at < len(lines) else "(ends before)"
    return f"line {at + 1} of {len(lines)}: {said[:_LONGEST]}"


def _resources(graph: ResourceGraph) -> dict[str, Leaves]:
    """Kind and name, without the environment's, to every leaf of the inputs."""
    hashes = {hash_ for resource in graph for hash_ in _hashes(resource)}
    neutral = _Neutral(graph.environment, hashes)
    found: dict[str, Leaves] = {}
    for resource in graph:
        if resource.is_kubernetes and not resource.read_id and not is_record(resource):
            inputs = neutral.of(resource.inputs)
            found[f"{resource.kind} {neutral.text(resource.name)}"] = dict(_leaves(inputs, ""))
    return found


def _hashes(resource: Resource) -> Iterator[str]:
    metadata = resource.inputs.get("metadata")
    if isinstance(metadata, dict):
        for holder, key in (("labels", CONTENT), ("annotations", TEMPLATE)):
            if value := (metadata.get(holder) or {}).get(key):
                yield str(value)


class _Neutral:
    """Takes out of texts what is only the environment's name, or a content's hash."""

    def __init__(self, environment: str, hashes: set[str]) -> None:
        name = re.escape(environment)
        alone = rf"(?<![\w./-]){name}(?![\w.])|(?<=turnout-){name}(?!\w)|(?<=\.){name}(?=(?:-[a-z]+)?\.svc)"
        self._name = re.compile(
            rf"{alone}|(?<![\w./-]){name}(?=-(?:monitoring|agents)\b)|(?<=/){name}(?=(?:-(?:monitoring|agents))?_)"
        )
        self._hashes = re.compile("|".join(map(re.escape, sorted(hashes)))) if hashes else None

    def text(self, text: str) -> str:
        found = self._name.sub(ANY, text)
        return self._hashes.sub(HASH, found) if self._hashes else found

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.of(entry) for key, entry in value.items()}
        return [self.of(entry) for entry in value] if isinstance(value, list) else value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Items of a list that have names are found by them."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from _leaves(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and any(isinstance(entry, dict | list) for entry in value):
        for at, entry in enumerate(value):
            name = entry.get("name") if isinstance(entry, dict) else None
            yield from _leaves(entry, f"{path}[{name if isinstance(name, str) else at}]")
    else:
        yield path, "[secret]" if value == SECRET else value


def sequence(names: Sequence[str]) -> str:
    """`a`, `b and 2 more`."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
