"""How one resource's inputs differ between two renders, and which of the differences need a new object. Pure.

Both sides are first brought into the one spelling that the provider records, so that equal quantities, empty values and
the like are no difference. Lists whose items have names are compared by name; their order is compared too, because an
apply that only reorders them still is one. Secrets are compared by what stands for them and never shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cli.engine import values
from cli.engine.graph import Resource
from cli.engine.model import ABSENT, SECRET, UNKNOWN, FieldChange
from cli.engine.render import PLACEHOLDER
from cli.provider import check, paths, replacements
from cli.provider.diff import same
from cli.provider.replacements import Mutable
from components.manifest import CONTENT_LABEL
from components.names import KIND as KIND_LABEL
from components.names import RELEASE_RECORD as KIND
from components.tracks import TEMPLATE

JSON = dict[str, Any]
HASHED: Final = "[hash]"
"""Stands for a hash that a secret is part of: without the passphrase nobody knows it."""

_SECRET_DATA: Final = ("data", "stringData")
_PLACEHOLDER: Final = re.compile(rf"{PLACEHOLDER}(?:[0-9a-f]{{32}})?|cGxhY2Vob2xkZX[A-Za-z0-9+/]{{2,}}=*")
_NAMING_SECRETS: Final = ("Secret", "Job")


@dataclass(frozen=True)
class Sealed:
    """A secret: equal when what it holds is, and never shown."""

    content: str

    def __repr__(self) -> str:
        return SECRET


class Shower:
    """Shows values of two renders: secrets, what stands for them and the hashes that hold them are left out."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        hashes = sorted({hashed for resource in resources for hashed in _hashes(resource)})
        self._hashed = re.compile("|".join(map(re.escape, hashes))) if hashes else None

    def shown(self, value: Any) -> Any:
        """The value for people."""
        if isinstance(value, Sealed):
            return SECRET
        if isinstance(value, dict):
            return {key: self.shown(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.shown(entry) for entry in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if values.is_unknown(text):
            return UNKNOWN
        text = _PLACEHOLDER.sub(SECRET, text)
        return self._hashed.sub(HASHED, text) if self._hashed else text


def _hashes(resource: Resource) -> Iterator[str]:
    """The content hashes of Secrets, and those of jobs, templates and release records, which name Secrets."""
    metadata = resource.inputs.get("metadata")
    if not isinstance(metadata, dict):
        return
    labels, notes = (metadata.get(key) or {} for key in ("labels", "annotations"))
    if resource.kind in _NAMING_SECRETS and labels.get(CONTENT_LABEL):
        yield str(labels[CONTENT_LABEL])
    if notes.get(TEMPLATE):
        yield str(notes[TEMPLATE])
    if is_record(resource):
        yield str(metadata["name"]).partition("-")[2].partition(".")[0]


def is_record(resource: Resource) -> bool:
    """Whether it is a release record, which holds everything else again."""
    labels = (resource.inputs.get("metadata") or {}).get("labels") or {}
    return bool(labels.get(KIND_LABEL) == KIND)


def comparable(resource: Resource) -> JSON:
    """The inputs in the provider's own spelling, each secret `Sealed`."""
    plain = resource.reveal()
    wanted: JSON = check.normalise(plain) if resource.is_kubernetes else plain
    for path in resource.secret_paths:
        wanted = _with_seal(wanted, values.parse_path(path))
    if resource.kind == "Secret" and resource.is_kubernetes:
        for key in _SECRET_DATA:
            wanted = _with_seal(wanted, (key,))
    return wanted


def _with_seal(wanted: JSON, path: values.Path) -> JSON:
    there = paths.get(wanted, path, ABSENT)
    if there is ABSENT or isinstance(there, Sealed):
        return wanted
    sealed: JSON = paths.put(wanted, path, Sealed(json.dumps(there, sort_keys=True)))
    return sealed


def respected(before: JSON, after: JSON, ignored: Iterable[str]) -> JSON:
    """`after` with every ignored field as it is in `before`."""
    for text in ignored:
        if text == paths.ANY:
            return before
        pattern = paths.parse(text)
        for path in {*paths.expand(before, pattern), *paths.expand(after, pattern)}:
            value = paths.get(before, path, ABSENT)
            after = paths.drop(after, path) if value is ABSENT else paths.put(after, path, value)
    return after


def rules(after: JSON, resource: Resource, mutable: Mutable) -> list[paths.Path]:
    """The paths whose change needs a new object."""
    own = replacements.fields(after, mutable) if resource.is_kubernetes else []
    return [*own, *map(paths.parse, resource.options.replace_on_changes)]


def changed(before: JSON, after: JSON, replacing: Iterable[paths.Path], shower: Shower) -> tuple[FieldChange, ...]:
    """Every field that differs."""
    patterns = list(replacing)
    return tuple(_change(path, old, new, patterns, shower) for path, old, new in differences(before, after))


def differences(before: Any, after: Any, path: values.Path = ()) -> Iterator[tuple[values.Path, Any, Any]]:
    """Every leaf that differs, lists of named items by name; their order as the list of their names."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif (old := values.by_name(before)) and (new := values.by_name(after)):
        yield from differences(old, new, path)
        if [name for name in old if name in new] != [name for name in new if name in old]:
            yield path, list(old), list(new)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from differences(_at(before, index), _at(after, index), (*path, index))
    elif not same(before, after):
        yield path, before, after


def _change(path: values.Path, old: Any, new: Any, patterns: list[paths.Path], shower: Shower) -> FieldChange:
    sides = shower.shown(old), shower.shown(new)
    secret = any(values.contains(side, SECRET) for side in sides)
    unknown = any(values.contains(side, UNKNOWN) for side in sides)
    told = None if new is ABSENT else new
    replaces = any(paths.touches(pattern, path, told) for pattern in patterns)
    return FieldChange(values.format_path(path), *sides, secret=secret, certain=not unknown, replaces=replaces)


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else ABSENT
