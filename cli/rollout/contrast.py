"""How two releases differ: their recorded objects, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.rollout import plan
from cli.rollout.compare import Difference, differences
from cli.rollout.control import Manifest
from cli.rollout.plan import Key, key
from cli.rollout.records import ENTRIES_SINCE, Record
from components.manifest import CONTENT_LABEL, lasting_name

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
    entries = min(older.schema, newer.schema) >= ENTRIES_SINCE
    return tuple(_contrasts(*(_by_lasting_name(one, entries=entries) for one in (older, newer))))


def _by_lasting_name(record: Record, *, entries: bool) -> dict[Key, Manifest]:
    compared = (*record.objects, *record.entries) if entries else record.objects
    return {(*key(manifest)[:2], lasting_name(manifest)): manifest for manifest in compared}


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
    return tuple(row for row in found if CONTENT_LABEL not in row.path)
