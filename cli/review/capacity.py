"""What the cluster has to hold before and after a plan, exactly, and what gets less than it had. Pure.

A pod counts as Kubernetes' scheduler counts it: its containers together, or its largest init container where that is
more, plus its overhead; a sidecar (an init container that always restarts) counts among the containers. What runs on
every node counts once, as the number of nodes is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Final

from cli.provider import quantity
from cli.review.facts import Fact
from cli.review.model import Amount
from cli.review.objects import COUNTED, RUNNING, Manifest, Objects, at, mapping, number, rows, template, text
from cli.review.world import Touched, World

_SIDES: Final = ("requests", "limits")
_RESOURCES: Final = ("cpu", "memory")
_NAMES: Final = (*(f"{name} {side}" for side in _SIDES for name in _RESOURCES), "pods", "most pods", "volumes")
_MORE: Final = Decimal("1.2")
_DIGITS: Final = 80

Capacity = dict[str, Decimal]


def amounts(there: World) -> dict[str, Amount]:
    """What differs, by name: `cpu requests` in cores, `memory limits` and `volumes` in bytes, `pods`, `most pods`."""
    found = exact_amounts(there)
    return {name: Amount(float(before), float(after)) for name, (before, after) in found.items() if before != after}


def exact_amounts(there: World) -> dict[str, tuple[Decimal, Decimal]]:
    """Before and after of everything that is counted."""
    before, after = total(there.before), total(there.after)
    return {name: (before[name], after[name]) for name in before}


def facts(there: World) -> Iterator[Fact]:
    yield from _needs_more(there)
    for one in there.of(*COUNTED):
        before, after = there.copies_before(one), there.after.copies(one.after) if one.after else 0
        if 0 < after < before and not _is_scaled(there, one):
            yield one.fact("fewer-copies", f"has {after} cop{'y' if after == 1 else 'ies'} instead of {before}")
    for one in there.of("HorizontalPodAutoscaler"):
        yield from _scaler(one)
    for one in there.of(*RUNNING):
        yield from _containers(one)


@lru_cache(maxsize=4)
def total(objects: Objects) -> Capacity:
    """Everything that is declared, together."""
    with localcontext(prec=_DIGITS):
        found = dict.fromkeys(_NAMES, Decimal(0))
        for made in objects:
            for name, value in _of(objects, made).items():
                found[name] += value
    return found


def _of(objects: Objects, made: Manifest) -> Capacity:
    copies, most = _copies(objects, made)
    each = {name: value * copies for name, value in pod(made).items()} if copies else {}
    return {**each, "pods": Decimal(copies), "most pods": Decimal(most), "volumes": _volumes(made, copies)}


def _copies(objects: Objects, made: Manifest) -> tuple[int, int]:
    """(how many pods it has at least, how many at most)."""
    if made.get("kind") == "DaemonSet":
        return 1, 1
    copies = objects.copies(made)
    scaler = objects.scaler(made) if made.get("kind") in COUNTED else None
    return copies, number(scaler, "spec", "maxReplicas", default=copies) if scaler else copies


def pod(made: Manifest) -> Capacity:
    """What one of its pods asks for and may use."""
    spec = mapping(template(made), "spec")
    return {f"{name} {side}": _pod(spec, side, name) for side in _SIDES for name in _RESOURCES}


def _pod(spec: Manifest, side: str, name: str) -> Decimal:
    starting = rows(spec, "initContainers")
    beside = [row for row in starting if row.get("restartPolicy") == "Always"]
    running = sum((_asked(row, side, name) for row in (*rows(spec, "containers"), *beside)), Decimal(0))
    first = [_asked(row, side, name) for row in starting if row not in beside]
    return max([running, *first]) + _quantity(mapping(spec, "overhead").get(name))


def _asked(container: Manifest, side: str, name: str) -> Decimal:
    """A request that is not stated is as large as the limit."""
    resources = mapping(container, "resources")
    stated = mapping(resources, side).get(name)
    return _quantity(mapping(resources, "limits").get(name) if stated is None else stated)


def _volumes(made: Manifest, copies: int) -> Decimal:
    if made.get("kind") == "PersistentVolumeClaim":
        return _quantity(at(made, "spec", "resources", "requests", "storage"))
    claims = rows(made, "spec", "volumeClaimTemplates")
    asked = (_quantity(at(row, "spec", "resources", "requests", "storage")) for row in claims)
    return sum(asked, Decimal(0)) * copies


def _quantity(value: object) -> Decimal:
    """Nothing for what is hidden or not stated."""
    return quantity.exact(value) if _is_told(value) else Decimal(0)


def _needs_more(there: World) -> Iterator[Fact]:
    for name, (before, after) in exact_amounts(there).items():
        if name.endswith("requests") and before and after >= before * _MORE:
            urns = tuple(one.urn for one in there.touched if one.kind in (*RUNNING, "HorizontalPodAutoscaler"))
            said = f"asks the cluster for {shown(name, after)} instead of {shown(name, before)}"
            yield Fact("needs-more", "the environment", said, urns)


def shown(name: str, value: Decimal) -> str:
    """`2.5 cores`, `3.2 GiB of memory`, `3 pods`."""
    if name.startswith("cpu"):
        return f"{_plain(value)} core{'s' * (value != 1)}"
    if name.startswith(("memory", "volumes")):
        return f"{_bytes(value)} of {name.split()[0]}"
    return f"{_plain(value)} {name}"


def _bytes(value: Decimal) -> str:
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    at_most = max(power for power in range(len(units)) if power == 0 or abs(value) >= 1024**power)
    return f"{_plain(value / 1024**at_most)} {units[at_most]}"


def _plain(value: Decimal) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _is_scaled(there: World, one: Touched) -> bool:
    """Whether an autoscaler's own bounds, which are told by themselves, are what counts its copies."""
    return there.after.scaler(one.after) is not None


def _scaler(one: Touched) -> Iterator[Fact]:
    if not (one.before and one.after):
        return
    least, most = (
        (number(one.before, "spec", name, default=1), number(one.after, "spec", name, default=1))
        for name in ("minReplicas", "maxReplicas")
    )
    if least[1] < least[0]:
        yield one.fact("fewer-copies", f"keeps at least {least[1]} instead of {least[0]} copies")
    if most[1] < most[0]:
        yield one.fact("less-headroom", f"starts at most {most[1]} instead of {most[0]} copies")


def _containers(one: Touched) -> Iterator[Fact]:
    before, after = _by_name(one.before), _by_name(one.after)
    for name in before.keys() & after.keys():
        yield from _less(one, name, before[name], after[name])


def _less(one: Touched, name: str, before: Manifest, after: Manifest) -> Iterator[Fact]:
    for side, resource, code in (("limits", "memory", "less-memory"), ("requests", "cpu", "less-cpu")):
        stated = [mapping(row, "resources", side).get(resource) for row in (before, after)]
        if all(map(_is_told, stated)) and quantity.exact(stated[1]) < quantity.exact(stated[0]):
            left, right = map(quantity.canonical, stated)
            yield one.fact(code, f"gets less: the {resource} {side.rstrip('s')} of {name} is {right} instead of {left}")


def _is_told(value: object) -> bool:
    """Whether it is a quantity, and not hidden, unknown or left out."""
    try:
        quantity.exact(value)
    except ValueError:
        return False
    return True


def _by_name(made: Manifest) -> Mapping[str, Manifest]:
    return {text(row, "name"): row for row in _of_pod(made)}


def _of_pod(made: Manifest) -> Iterable[Manifest]:
    return rows(mapping(template(made), "spec"), "containers") if made else ()
