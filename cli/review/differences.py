"""What a hermetic preview cannot know, and so tells otherwise than a live one: the whole list. Pure.

docs/previews.md explains each by its code, and a test holds the page against this table. `unexplained` compares a
change of both modes by nothing but this list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cli.engine import values
from cli.engine.model import Change, FieldChange
from cli.review.fields import HASHED
from components.tracks import TRACK_LABEL

_LETTER: Final = re.compile(r"(?<=[a-z0-9])-[ab](?![a-z0-9-])")
"""A track's letter at the end of a name: `api-b`."""
_HASH: Final = re.compile(rf"{re.escape(HASHED)}|(?<![0-9a-f])[0-9a-f]{{10}}(?:[0-9a-f]{{2}})?(?![0-9a-f])")
_RECORD: Final = re.compile(r"turnout-[a-z0-9-]+/release\.\d+")


@dataclass(frozen=True)
class Difference:
    """One thing that the modes tell differently. `paths`: the fields that it takes away from a comparison, if any."""

    code: str
    says: str
    paths: tuple[str, ...] = ()


DIFFERENCES: Final = (
    Difference("hash", "what is a hash of a secret, a pod template or a release is shown as [hash]"),
    Difference("record", "the release record, which holds everything again, has one field"),
    Difference("letter", "a service's objects are told without a track's letter, and carry the letter a"),
    Difference("frozen-track", "the track that the settings do not describe is not there"),
    Difference("epoch", "the epoch of the cursor is not known", (r'metadata\.annotations(\["turnout\.dev/epoch"\])?',)),
    Difference("copies", "the copies of a service with two tracks are compared with what runs", (r"spec\.replicas",)),
    Difference("rollout", "while a rollout is under way, services are held and the record is kept"),
    Difference("rotated", "a secret that was encrypted anew is a possible change, even where it is the same"),
    Difference("applied", "what was applied last need not be the base commit; drift is not seen"),
    Difference("refused", "what only the cluster refuses is not refused: pins, admission, quotas, unknown kinds"),
)

_NOT_COMPARED: Final = tuple(re.compile(path) for entry in DIFFERENCES for path in entry.paths)


def keyed(changes: Iterable[Change]) -> dict[tuple[str, str], Change]:
    """Changes by kind and by name without the track's letter: so those of two modes can be laid side by side."""
    return {(change.kind, _LETTER.sub("", change.name)): change for change in changes}


def unexplained(hermetic: Change, live: Change) -> tuple[str, ...]:
    """The paths that the two tell differently for no reason of this list; `operation` where that differs."""
    found = [] if hermetic.operation is live.operation else ["operation"]
    if _RECORD.fullmatch(live.name):
        return tuple(found)
    one, other = (dict(_neutral_fields(change.fields)) for change in (hermetic, live))
    return (*found, *(path for path in sorted({*one, *other}) if one.get(path) != other.get(path)))


def _neutral_fields(fields: Iterable[FieldChange]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for field in fields:
        if not any(pattern.fullmatch(field.path) for pattern in _NOT_COMPARED):
            steps = values.parse_path(field.path)
            yield field.path, (neutral(field.before, steps), neutral(field.after, steps))


def neutral(value: Any, path: values.Path = ()) -> Any:
    """The value without hashes and letters of tracks."""
    if isinstance(value, dict):
        return {key: neutral(entry, (*path, key)) for key, entry in value.items()}
    if isinstance(value, list):
        return [neutral(entry, path) for entry in value]
    if not isinstance(value, str):
        return value
    return TRACK_LABEL if path[-1:] == (TRACK_LABEL,) else _LETTER.sub("", _HASH.sub(HASHED, value))
