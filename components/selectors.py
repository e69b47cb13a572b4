"""Label selectors (kubernetes.io, "Labels and Selectors"): what meets one, found without asking everything. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar

Manifest = Mapping[str, Any]
Labels = Mapping[str, Any]
Found = TypeVar("Found")
Pair = tuple[str, Hashable]


def matches(selector: Manifest, labels: Labels) -> bool:
    """One that asks for nothing is met by all."""
    wanted = selector.get("matchLabels")
    pairs = wanted.items() if isinstance(wanted, Mapping) else ()
    plain = all(name in labels and labels[name] == value for name, value in pairs)
    return plain and all(_holds(row, labels) for row in _expressions(selector))


def asked(made: Manifest) -> Manifest | None:
    """The selector of pods in a Service, a budget or a policy; None: it speaks of no pod, or nobody can tell of which.

    An empty one means every pod of the namespace, but for a Service, which then has none (kubernetes.io, "API
    Reference": Service, PodDisruptionBudget and NetworkPolicy).
    """
    kind, spec = made.get("kind"), made.get("spec")
    found = spec.get("podSelector" if kind == "NetworkPolicy" else "selector") if isinstance(spec, Mapping) else None
    if kind == "NetworkPolicy":
        return found if isinstance(found, Mapping) else {}
    if not isinstance(found, Mapping) or kind not in ("Service", "PodDisruptionBudget"):
        return None
    if kind == "PodDisruptionBudget":
        return found if _is_told(found) else None
    return {"matchLabels": found} if found else None


def _is_told(selector: Manifest) -> bool:
    """Whether no part of it is hidden, or of another shape."""
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    return isinstance(labels, Mapping | None) and isinstance(expressions, list | tuple | None)


class Labelled(Generic[Found]):
    """Things with labels."""

    def __init__(self, things: Iterable[tuple[Labels, Found]]) -> None:
        self._all = list(things)
        self._by_pair: dict[Pair, list[tuple[Labels, Found]]] = {}
        for entry in self._all:
            for pair in _pairs({"matchLabels": entry[0]}):
                self._by_pair.setdefault(pair, []).append(entry)

    def meeting(self, selector: Manifest) -> list[Found]:
        """Those that meet it, in their order."""
        narrowed = [self._by_pair.get(pair, []) for pair in _pairs(selector)]
        return [thing for labels, thing in min(narrowed, key=len, default=self._all) if matches(selector, labels)]


class Selecting(Generic[Found]):
    """Things with selectors."""

    def __init__(self, things: Iterable[tuple[Manifest, Found]]) -> None:
        entries = list(things)
        common = Counter(pair for selector, _ in entries for pair in _pairs(selector))
        self._by_pair: dict[Pair | None, list[tuple[int, Manifest, Found]]] = {}
        for at, (selector, thing) in enumerate(entries):
            rarest = min(_pairs(selector), key=lambda pair: common[pair], default=None)
            self._by_pair.setdefault(rarest, []).append((at, selector, thing))

    def met_by(self, labels: Labels) -> list[Found]:
        """Those whose selector the labels meet, in their order."""
        likely = [entry for pair in (None, *_pairs({"matchLabels": labels})) for entry in self._by_pair.get(pair, ())]
        likely.sort(key=lambda entry: entry[0])
        return [thing for _, selector, thing in likely if matches(selector, labels)]


class Speakers(Generic[Found]):
    """The Services, budgets and policies among all objects, found by the pods that they speak of."""

    def __init__(self, objects: Iterable[tuple[Manifest, Found]]) -> None:
        there: dict[tuple[str, str], list[tuple[Manifest, Found]]] = {}
        for made, thing in objects:
            if (selector := asked(made)) is not None:
                there.setdefault((made["kind"], made["metadata"].get("namespace") or ""), []).append((selector, thing))
        self._there = {where: Selecting(entries) for where, entries in there.items()}

    def of(self, kind: str, namespace: str, labels: Labels) -> list[Found]:
        """Those of that kind whose selector picks pods with these labels, in their order."""
        there = self._there.get((kind, namespace))
        return there.met_by(labels) if there else []


def _pairs(selector: Manifest) -> Iterator[Pair]:
    asked = selector.get("matchLabels")
    if isinstance(asked, Mapping):
        yield from ((str(name), value) for name, value in asked.items() if isinstance(value, Hashable))


def _expressions(selector: Manifest) -> list[Manifest]:
    found = selector.get("matchExpressions")
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list | tuple) else []


def _holds(row: Manifest, labels: Labels) -> bool:
    operator, wanted = _OPERATORS.get(str(row.get("operator"))), row.get("values")
    listed = list(wanted) if isinstance(wanted, list | tuple) else []
    return bool(operator and operator(str(row.get("key", "")), listed, labels))


_OPERATORS: Final[Mapping[str, Callable[[str, list[Any], Labels], bool]]] = {
    "In": lambda name, wanted, labels: name in labels and labels[name] in wanted,
    "NotIn": lambda name, wanted, labels: labels.get(name) not in wanted,
    "Exists": lambda name, _, labels: name in labels,
    "DoesNotExist": lambda name, _, labels: name not in labels,
}
