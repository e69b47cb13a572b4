"""Where a live object is not as it was declared, place by place, with whoever owns the place. Pure.

Only what was declared counts, and what somebody else put beside it: a field that nobody but the API server filled in
has no owner in `managedFields`, or the one who asked for the object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.drift import managed
from cli.drift.declared import Sealed
from cli.drift.managed import Claims, Item, Path
from cli.drift.model import What
from cli.engine.model import ABSENT
from cli.provider.diff import same

_EACH_ALONE = ("annotations", "labels")
"""Maps of which each entry has a meaning of its own, whoever made the map."""


@dataclass(frozen=True)
class Found:
    """One difference. `claims`: who has a share in the place, if anybody."""

    path: Path
    what: What
    declared: Any
    live: Any
    claims: Claims = ()
    secret: bool = False


def walk(
    declared: Any, live: Any, before: Any, claims: Claims, path: Path = (), *, secret: bool = False
) -> Iterator[Found]:
    """The differences at `path` and below. `before`: what was there after the last apply, defaults included."""
    if declared is None:
        return
    if isinstance(declared, Sealed):
        yield from _sealed(declared, live, before, claims, path)
    elif live is ABSENT:
        if not _empty(declared):
            yield Found(path, What.REMOVED, declared, ABSENT, (), secret)
    elif isinstance(declared, Mapping) and isinstance(live, Mapping):
        yield from _mapping(declared, live, before, claims, path, secret)
    elif isinstance(declared, list) and isinstance(live, list):
        yield from _list(declared, live, before, claims, path, secret)
    elif not same(declared, live):
        yield Found(path, What.CHANGED, declared, live, managed.exact(claims), secret)
    else:
        yield from _taken(declared, live, claims, path, secret)


def look_up(value: Any, path: Path) -> Any:
    """What is at a path of an object, ABSENT where there is nothing."""
    for step in path:
        value = _pick(value, step) if isinstance(step, Item) else _get(value, step)
    return value


def _sealed(declared: Sealed, live: Any, before: Any, claims: Claims, path: Path) -> Iterator[Found]:
    """Where it cannot be opened, whoever wrote the field last tells whether it is ours still."""
    if declared.opened:
        yield from walk(declared.opened[0], live, before, claims, path, secret=True)
    elif live is ABSENT:
        yield Found(path, What.REMOVED, declared, ABSENT, (), True)
    elif others := _others(claims):
        yield Found(path, What.CHANGED, declared, live, others, True)


def _mapping(
    declared: Mapping[str, Any], live: Mapping[str, Any], before: Any, claims: Claims, path: Path, secret: bool
) -> Iterator[Found]:
    for key, value in declared.items():
        below = (_get(live, key), _get(before, key), managed.at(claims, key), (*path, key))
        yield from walk(value, *below, secret=secret)
    for key, value in live.items():
        if declared.get(key) is None:
            earlier = before.get(key, ABSENT) if isinstance(before, Mapping) else value
            yield from _beside(value, earlier, managed.at(claims, key), (*path, key), secret)


def _beside(live: Any, before: Any, claims: Claims, path: Path, secret: bool) -> Iterator[Found]:
    """What is there and was not asked for. Within a whole that others own, what was there before is a default."""
    others = tuple(claim for claim in claims if not claim.ours)
    named = tuple(claim for claim in others if claim.exact)
    if not named:
        if others and not same(live, before):
            yield Found(path, What.ADDED, ABSENT, live, others, secret)
        return
    shared = path[-1] in _EACH_ALONE or any(claim.ours and claim.exact for claim in claims)
    if not shared and any(map(managed.makes, named)):
        yield Found(path, What.ADDED, ABSENT, live, named, secret)
    elif isinstance(live, Mapping):
        yield from _mapping({}, live, before, claims, path, secret)
    elif isinstance(live, list):
        yield from _extra_items((), live, before, claims, path, secret)


def _list(
    declared: Sequence[Any], live: Sequence[Any], before: Any, claims: Claims, path: Path, secret: bool
) -> Iterator[Found]:
    keys = _keys(declared, live, claims)
    if keys:
        yield from _keyed(keys, declared, live, before, claims, path, secret)
    elif managed.values(claims):
        yield from _set(declared, live, claims, path, secret)
    elif len(declared) != len(live) or not all(isinstance(item, Mapping) for item in (*declared, *live)):
        if not same(list(declared), list(live)):
            yield Found(path, What.CHANGED, list(declared), list(live), managed.exact(claims), secret)
        else:
            yield from _taken(list(declared), list(live), claims, path, secret)
    else:
        for index, (one, other) in enumerate(zip(declared, live, strict=True)):
            below = (other, _get(before, index), managed.at(claims, index), (*path, index))
            yield from walk(one, *below, secret=secret)


def _keys(declared: Sequence[Any], live: Sequence[Any], claims: Claims) -> tuple[str, ...]:
    """The fields that tell the items of the list apart; none: it is one whole."""
    if known := managed.items(claims):
        return tuple(key for key, _ in known[0].keys)
    owned_whole = any(claim.exact for claim in claims)
    everything = [*declared, *live]
    named = everything and all(isinstance(item, Mapping) and "name" in item for item in everything)
    return ("name",) if named and not owned_whole else ()


def _keyed(
    keys: tuple[str, ...],
    declared: Sequence[Any],
    live: Sequence[Any],
    before: Any,
    claims: Claims,
    path: Path,
    secret: bool,
) -> Iterator[Found]:
    wanted = [managed.item_of(one, keys) for one in declared]
    for item, one in zip(wanted, declared, strict=True):
        below = (_pick(live, item), _pick(before, item), managed.at(claims, item), (*path, item))
        yield from walk(one, *below, secret=secret)
    yield from _extra_items(wanted, live, before, claims, path, secret)


def _extra_items(
    wanted: Sequence[Item], live: Sequence[Any], before: Any, claims: Claims, path: Path, secret: bool
) -> Iterator[Found]:
    for item in managed.items(claims):
        if item not in wanted and (one := _pick(live, item)) is not ABSENT:
            yield from _beside(one, _pick(before, item), managed.at(claims, item), (*path, item), secret)


def _set(declared: Sequence[Any], live: Sequence[Any], claims: Claims, path: Path, secret: bool) -> Iterator[Found]:
    if any(value not in live for value in declared):
        yield Found(path, What.CHANGED, list(declared), list(live), _others(claims), secret)


def _taken(declared: Any, live: Any, claims: Claims, path: Path, secret: bool) -> Iterator[Found]:
    holders = tuple(claim for claim in claims if claim.exact)
    if holders and not any(claim.ours for claim in holders):
        yield Found(path, What.TAKEN, declared, live, holders, secret)


def _others(claims: Claims) -> Claims:
    return tuple(claim for claim in claims if claim.exact and not claim.ours)


def _pick(items: Any, item: Item) -> Any:
    found = (one for one in items if item.fits(one)) if isinstance(items, list) else iter(())
    return next(found, ABSENT)


def _get(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, ABSENT)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return ABSENT


def _empty(value: Any) -> bool:
    return value in ({}, [], "", None)
