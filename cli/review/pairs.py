"""Which resource of one graph is which of another: by URN, by alias, or by looks where a name is new. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cli.engine.graph import Resource, ResourceGraph
from components.names import WORKLOAD

ALIKE: Final = 0.8
"""The share of its fields that a resource has to keep under a new name to count as renamed."""
_FEWEST: Final = 3
"""Of fewer fields, that they are the same says nothing."""
Leaves = dict[tuple[Any, ...], Any]


@dataclass(frozen=True)
class Pairs:
    """`both`: (before, after) in the program's order. `looks`: URN of a created resource to the deleted one it is like.

    `moved`: URN of a resource that an alias gives the place of an older one, to that one.
    """

    both: tuple[tuple[Resource, Resource], ...]
    created: tuple[Resource, ...]
    deleted: tuple[Resource, ...]
    moved: Mapping[str, Resource] = field(default_factory=dict)
    looks: Mapping[str, Resource] = field(default_factory=dict)


def paired(before: ResourceGraph, after: ResourceGraph) -> Pairs:
    """Every resource of both graphs, each once."""
    older = dict(before.by_urn)
    both: list[tuple[Resource, Resource]] = []
    left = []
    for resource in after:
        found = older.pop(resource.urn, None)
        if found is None:
            left.append(resource)
        else:
            both.append((found, resource))
    moved = _moved(older, left)
    created = tuple(one for one in left if one.urn not in moved)
    both += [(older.pop(found.urn), after.by_urn[urn]) for urn, found in moved.items()]
    deleted = tuple(older.values())
    return Pairs(tuple(both), created, deleted, moved, _looks(deleted, created))


def _moved(older: Mapping[str, Resource], left: Sequence[Resource]) -> dict[str, Resource]:
    """By the aliases that the program states, and by those of the components around a resource."""
    places: dict[str, str] = {}
    found: dict[str, Resource] = {}
    for resource in left:
        for urn in (*_aliases(resource), *_inherited(resource, places)):
            if urn in older and all(urn != other.urn for other in found.values()):
                found[resource.urn] = older[urn]
                places[resource.urn] = urn
                break
    return found


def _aliases(resource: Resource) -> Iterator[str]:
    stack, project, chain, _ = _parts(resource.urn)
    for alias in resource.options.aliases:
        if isinstance(alias, str):
            yield alias
        else:
            said = dict(alias)
            kind, name = said.get("type", resource.type), said.get("name", resource.name)
            around = _around(said, chain)
            yield _urn(stack, project, f"{around}${kind}" if around else kind, name)


def _around(said: Mapping[str, str], chain: str) -> str:
    """The types of the components around it, outermost first, as the alias has them."""
    if said.get("noParent", "").lower() == "true":
        return ""
    if parent := said.get("parentUrn"):
        return _parts(parent)[2]
    return chain.rpartition("$")[0]


def _inherited(resource: Resource, places: Mapping[str, str]) -> Iterator[str]:
    """A child moves with its parent, and its name with the parent's where it starts with it."""
    if (old := places.get(resource.parent)) is None:
        return
    stack, project, _, _ = _parts(resource.urn)
    old_name, new_name = old.rpartition("::")[2], resource.parent.rpartition("::")[2]
    name = resource.name
    if name.startswith(new_name):
        yield _urn(stack, project, f"{_parts(old)[2]}${resource.type}", old_name + name.removeprefix(new_name))
    yield _urn(stack, project, f"{_parts(old)[2]}${resource.type}", name)


def _parts(urn: str) -> tuple[str, str, str, str]:
    """Stack, project, chain of types, name."""
    _, _, rest = urn.partition("urn:pulumi:")
    stack, project, chain, name = rest.split("::", 3)
    return stack, project, chain, name


def _urn(stack: str, project: str, chain: str, name: str) -> str:
    return f"urn:pulumi:{stack}::{project}::{chain}::{name}"


def _looks(deleted: Iterable[Resource], created: Iterable[Resource]) -> dict[str, Resource]:
    """Best pairs first; each resource in one pair at most."""
    candidates = sorted(_candidates(tuple(deleted), tuple(created)), key=lambda entry: -entry[0])
    taken: set[str] = set()
    found: dict[str, Resource] = {}
    for _, old, new in candidates:
        if old.urn not in taken and new.urn not in found:
            taken.add(old.urn)
            found[new.urn] = old
    return found


def _candidates(deleted: Sequence[Resource], created: Sequence[Resource]) -> Iterator[tuple[float, Resource, Resource]]:
    """Those of one kind, in one place, that are alike enough."""
    older: dict[Any, list[tuple[Resource, Leaves]]] = {}
    for old in deleted:
        if old.custom:
            older.setdefault(_place(old), []).append((old, leaves(old)))
    for new in created:
        for old, fields in older.get(_place(new), ()):
            share = likeness(fields, leaves(new))
            if share >= ALIKE:
                yield share, old, new


def _place(resource: Resource) -> tuple[Any, ...]:
    """Its kind, the kinds of the components around it, and its namespace."""
    return _parts(resource.urn)[2], (resource.inputs.get("metadata") or {}).get("namespace")


def likeness(before: Leaves, after: Leaves) -> float:
    """The share of fields that two resources have alike, from 0 to 1."""
    keys = before.keys() | after.keys()
    if len(keys) < _FEWEST:
        return 0.0
    alike = sum(bool(before.get(key, _NONE) == after.get(key, _NONE)) for key in keys)
    return alike / len(keys)


def leaves(resource: Resource) -> Leaves:
    """Every field by its path, with the resource's own names taken out."""
    metadata = resource.inputs.get("metadata") or {}
    label = (metadata.get("labels") or {}).get(WORKLOAD)
    names = (resource.name.rpartition("/")[2], metadata.get("name"), label)
    return dict(_leaves(resource.inputs, (), tuple(str(name) for name in names if name)))


_NONE: Final = object()


def _leaves(value: Any, path: tuple[Any, ...], names: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _leaves(entry, (*path, key), names)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _leaves(entry, (*path, index), names)
    else:
        yield path, _nameless(value, names)


def _nameless(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for name in names:
            value = value.replace(name, "\0")
    return value
