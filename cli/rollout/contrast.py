"""How two releases differ: their recorded objects, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.rollout import plan
from cli.rollout.compare import Difference, differences
from cli.rollout.control import Manifest
from cli.rollout.plan import Key, key
from cli.rollout.records import Record

CONTENT = "turnout.dev/content"
"""The label that says which part of an object's name is the hash of its content."""

Verb = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class Contrast:
    """One object that two releases do not have alike. In `fields`, `live` is the older value, `recorded` the newer."""

    verb: Verb
    key: Key
    fields: tuple[Difference, ...] = ()

    @property
    def title(self) -> str:
        return plan.title(self.key)

    def to_json(self) -> dict[str, Any]:
        return plan.shown(self.verb, self.key, self.fields)


def between(older: Record, newer: Record) -> tuple[Contrast, ...]:
    """What the newer release added, changed and removed, by kind and name.

    Configuration is named by its content: it is the same object when its name less the hash is the same.
    """
    return tuple(_contrasts(_by_lasting_name(older), _by_lasting_name(newer)))


def lasting_name(manifest: Manifest) -> str:
    """An object's name less the hash of its content."""
    metadata = manifest["metadata"]
    content = (metadata.get("labels") or {}).get(CONTENT, "")
    return str(metadata["name"]).removesuffix(f"-{content}") if content else str(metadata["name"])


def _by_lasting_name(record: Record) -> dict[Key, Manifest]:
    return {(*key(manifest)[:2], lasting_name(manifest)): manifest for manifest in record.objects}


def _contrasts(older: Mapping[Key, Manifest], newer: Mapping[Key, Manifest]) -> Iterator[Contrast]:
    for place in sorted({*older, *newer}):
        if place not in older:
            yield Contrast("added", place)
        elif place not in newer:
            yield Contrast("removed", place)
        elif fields := _fields(older[place], newer[place]):
            yield Contrast("changed", place, fields)


def _fields(older: Manifest, newer: Manifest) -> tuple[Difference, ...]:
    found = differences(newer, older, older)
    return tuple(row for row in found if CONTENT not in row.path)
