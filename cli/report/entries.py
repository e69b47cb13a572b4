"""What differs in one resource, as a reviewer reads it: fields by name, file contents as differences, and what merely
follows from another change (a name made of a content's hash, a template's stamp) folded into one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cli.engine import values
from cli.engine.model import ABSENT, SECRET, Change, FieldChange
from cli.report import contents, labels, plain
from cli.report.contents import DiffLine
from components.names import CONTENT, EPOCH, KIND, RELEASE_RECORD, TEMPLATE

_HASHED = re.compile(r"(?P<stem>.+)-(?:[0-9a-f]{8,64}|\[hash\])")
_FILES = frozenset({"ConfigMap"})
_HELD = frozenset({"ConfigMap", "Secret"})
_STAMPS = frozenset({TEMPLATE, EPOCH, CONTENT, "pulumi.com/patchFieldManager"})
_ON_A_LINE = 120


@dataclass(frozen=True)
class Entry:
    """One thing that differs. `before` or `after` is None where it is not there; a `diff` stands instead of both. With
    neither, the label says it all.

    `common`: the same name for the same change in other resources. `notes`: `replaces`, `possible`, ….
    """

    label: str
    before: str | None = None
    after: str | None = None
    diff: tuple[DiffLine, ...] = ()
    notes: tuple[str, ...] = ()
    common: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for the same change of two resources."""
        return (self.common or self.label, self.before, self.after, self.diff, self.notes)


def of(change: Change) -> tuple[Entry, ...]:
    """The entries of one change, in the order of its fields."""
    if _is_record(change):
        return (_record(change),)
    told = [entry for entry in _expanded(change.fields) if not _is_stamp(entry)]
    follows = {entry.path for entry in told if _follows(change, entry)}
    entries = [entry for given in told if given.path not in follows for entry in _entries(change, given)]
    carried = _carried(entry for entry in told if entry.path in follows and entry.path != "metadata.name")
    if entries or carried:
        return (*entries, *carried)
    return tuple(entry for given in change.fields for entry in _entries(change, given))


def _is_record(change: Change) -> bool:
    """Whether it keeps a release for rollbacks: compressed, and different with every release."""
    labels = values.look_up(change.after or change.before, ("metadata", "labels", KIND))
    return bool(change.kind == "ConfigMap" and labels == RELEASE_RECORD)


def _record(change: Change) -> Entry:
    before, after = (values.look_up(side, ("metadata", "name")) for side in (change.before, change.after))
    if before == after:
        return Entry("keeps another release")
    return Entry("record of the release", _shown(before), _shown(after))


def stem(name: Any) -> str:
    """A name without the hash of its content; empty when it has none."""
    found = _HASHED.fullmatch(name) if isinstance(name, str) else None
    return found["stem"] if found else ""


def _expanded(fields: Iterable[FieldChange]) -> Iterator[FieldChange]:
    """All of `data` at once as its files one by one."""
    for entry in fields:
        if entry.path in ("data", "binaryData", "stringData"):
            yield from _by_key(entry)
        else:
            yield entry


def _by_key(entry: FieldChange) -> Iterator[FieldChange]:
    before, after = (side if isinstance(side, dict) else {} for side in (entry.before, entry.after))
    if not before and not after:
        yield entry
    for key in [*before, *(key for key in after if key not in before)]:
        left, right = before.get(key, ABSENT), after.get(key, ABSENT)
        if left != right or left == SECRET:
            path = values.format_path((entry.path, key))
            yield FieldChange(path, left, right, entry.secret, entry.certain, entry.replaces)


def _is_stamp(entry: FieldChange) -> bool:
    steps = values.parse_path(entry.path)
    return len(steps) > 1 and steps[-2] in ("annotations", "labels") and steps[-1] in _STAMPS


def _follows(change: Change, entry: FieldChange) -> bool:
    """Whether a field only names another content, which has its own change to show."""
    if not stem(entry.before) or stem(entry.before) != stem(entry.after):
        return False
    return entry.path != "metadata.name" or change.kind in _HELD


def _carried(entries: Iterable[FieldChange]) -> tuple[Entry, ...]:
    names = sorted({plain.name(stem(entry.after)) for entry in entries})
    return (Entry(plain.clipped(f"uses the changed {', '.join(names)}")),) if names else ()


def _entries(change: Change, entry: FieldChange) -> Iterator[Entry]:
    steps = values.parse_path(entry.path)
    label = labels.of(steps, change.after or change.before)
    notes = tuple(note for note, holds in _notes(change, entry) if holds)
    if steps[:1] == ("binaryData",):
        yield Entry(label, _size(entry.before), _size(entry.after), notes=notes)
    elif change.kind in _FILES and steps[:1] == ("data",) and len(steps) == 2:
        yield _file(str(steps[1]), entry, notes)
    elif diff := _as_lines(entry.before, entry.after):
        yield Entry(label, diff=diff, notes=notes)
    else:
        common = labels.common(steps, change.after or change.before, change.name.rsplit("/", 1)[-1])
        yield Entry(label, _shown(entry.before), _shown(entry.after), notes=notes, common=common)


def _notes(change: Change, entry: FieldChange) -> tuple[tuple[str, bool], ...]:
    """What is named by its content is replaced by any change, which is no news."""
    return (("replaces", entry.replaces and change.kind not in _HELD), ("possible", not entry.certain))


def _file(name: str, entry: FieldChange, notes: tuple[str, ...]) -> Entry:
    before, after = (side if isinstance(side, str) else "" for side in (entry.before, entry.after))
    label = f"file {plain.name(name)}"
    if SECRET in (before, after):
        return Entry(label, _shown(entry.before), _shown(entry.after), notes=notes)
    there = (("added", entry.before is ABSENT), ("removed", entry.after is ABSENT))
    notes = (*(word for word, holds in there if holds), *notes)
    return Entry(label, diff=contents.difference(name, before, after), notes=notes)


def _as_lines(before: Any, after: Any) -> tuple[DiffLine, ...]:
    """Texts of several lines, and structures too large for one line, line by line."""
    sides = [side for side in (before, after) if side is not ABSENT]
    if any(isinstance(side, str) and "\n" in side for side in sides):
        texts = [
            "" if side is ABSENT else side if isinstance(side, str) else _document(side) for side in (before, after)
        ]
        return contents.difference("", *texts)
    if any(isinstance(side, dict | list) and len(json.dumps(side)) > _ON_A_LINE for side in sides):
        return contents.difference("", *("" if side is ABSENT else _document(side) for side in (before, after)))
    return ()


def _document(given: Any) -> str:
    return json.dumps(plain.whole(given), indent=2, sort_keys=True, ensure_ascii=False)


def _shown(given: Any) -> str | None:
    if given is ABSENT:
        return None
    if isinstance(given, dict) and set(given) == {"name", "value"}:
        return plain.value(given["value"])
    return plain.value(given)


def _size(given: Any) -> str | None:
    if given is ABSENT or not isinstance(given, str) or given == SECRET:
        return _shown(given)
    return f"{len(given) * 3 // 4:,} bytes"
