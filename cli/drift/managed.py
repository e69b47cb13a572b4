"""Walks an object and its `managedFields` together: at each place, who owns it. Pure.

`fieldsV1` is a tree: `f:name` is a field, `k:{…}` an item of a list by its keys, `v:…` a value of a set, and `.` the
place itself. A leaf that stands for a whole list or map is atomic: its owner owns all that is below.
Source: structured-merge-diff, fieldpath/serialize.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli.drift import managers
from cli.drift.model import Author

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """An item of a list, by the fields that tell it from the others."""

    keys: tuple[tuple[str, Any], ...]

    def fits(self, item: Any) -> bool:
        return isinstance(item, Mapping) and all(item.get(key, _SILENT.get(key)) == value for key, value in self.keys)

    @property
    def label(self) -> str:
        """`web`, or `mountPath=/tmp` where the key is not a name."""
        shown = [(key, value) for key, value in self.keys if key not in _SILENT] or list(self.keys)
        (key, value), *_ = [pair for pair in shown if pair[0] == "name"] or shown
        return str(value) if key == "name" else f"{key}={value}"

    @property
    def step(self) -> str:
        return "k:" + json.dumps(dict(self.keys), separators=(",", ":"))


Step = str | int | Item
Path = tuple[Step, ...]

_SILENT: Final = {"protocol": "TCP"}
"""Keys of a list that may be left out, and what they are then."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Claim:
    """A share in a place. `below`: the rest of the manager's tree; not `exact`: it owns a whole around the place."""

    author: Author
    below: Tree
    exact: bool = True
    rank: tuple[str, str] = ("", "")
    """(operation, subresource) of its entry in `managedFields`."""

    @property
    def own(self) -> bool:
        return managers.is_own(self.author.manager)

    @property
    def ours(self) -> bool:
        return managers.is_ours(self.author.manager)


Claims = tuple[Claim, ...]


def claims(live: Mapping[str, Any]) -> Claims:
    """Who owns what of an object; its status apart."""
    entries = (live.get("metadata") or {}).get("managedFields") or []
    return tuple(_claim(entry) for entry in entries if entry.get("subresource") != "status")


def _claim(entry: Mapping[str, Any]) -> Claim:
    manager, sub = str(entry.get("manager", "")), str(entry.get("subresource") or "")
    author = Author(manager, str(entry.get("time") or ""), managers.word(manager, sub))
    return Claim(author, entry.get("fieldsV1") or {}, rank=(str(entry.get("operation", "")), sub))


def at(found: Claims, step: Step) -> Claims:
    """Who has a share in the place one step further down."""
    return tuple(claim for claim in (_below(one, step) for one in found) if claim)


def _below(claim: Claim, step: Step) -> Claim | None:
    if not claim.below:
        return Claim(claim.author, {}, False, claim.rank)
    inner = _matching(claim.below, step)
    return None if inner is None else Claim(claim.author, inner, claim.exact, claim.rank)


def _matching(tree: Tree, step: Step) -> Tree | None:
    if isinstance(step, Item):
        return next((inner for key, inner in tree.items() if key.startswith("k:") and _same(key, step)), None)
    return tree.get(f"f:{step}") if isinstance(step, str) else None


def _same(key: str, item: Item) -> bool:
    return bool(json.loads(key[2:]) == dict(item.keys))


def item_of(value: Any, keys: Sequence[str]) -> Item:
    """The item that a value is, in a list that these fields key."""
    given = value if isinstance(value, Mapping) else {}
    return Item(tuple((key, given.get(key, _SILENT.get(key))) for key in keys))


def items(found: Claims) -> list[Item]:
    """The items of a list that anybody owns by their keys; none for a list that is owned whole."""
    keys = dict.fromkeys(key for claim in found for key in claim.below if key.startswith("k:"))
    return [Item(tuple(sorted(json.loads(key[2:]).items()))) for key in keys]


def values(found: Claims) -> bool:
    """Whether the list is a set."""
    return any(key.startswith("v:") for claim in found for key in claim.below)


def makes(claim: Claim) -> bool:
    """Whether the place itself, and not only something below, is the manager's."""
    return claim.exact and (not claim.below or "." in claim.below)


def exact(found: Claims) -> Claims:
    """Those who own the very place, else those who own a whole around it."""
    return tuple(claim for claim in found if claim.exact) or found


def authors(found: Iterable[Claim]) -> tuple[Author, ...]:
    return tuple(dict.fromkeys(claim.author for claim in found))


def latest(found: Claims) -> tuple[Author, ...]:
    """Whoever else wrote to the object last: the best guess where a field is gone, for then nobody owns it."""
    others = [claim.author for claim in found if not claim.ours and not managers.is_controller(claim.author.manager)]
    return (max(others, key=lambda author: author.at),) if others else ()


def written(path: Sequence[Step]) -> str:
    """`spec.template.spec.containers[web].image`"""
    text = ""
    for step in path:
        if isinstance(step, Item):
            text += f"[{step.label}]"
        elif isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
