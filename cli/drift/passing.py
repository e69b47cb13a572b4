"""What the settings pass over for a while: who answers for it, why and until when. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from cli.drift.model import Drifted, Fate, Field, Report
from cli.errors import UsageError

if TYPE_CHECKING:
    from infra.review import IgnoredDrift

_DAYS: Final = re.compile(r"(\d+)([dw])")
_LENGTH: Final = {"d": 1, "w": 7}
_EVERYTHING: Final = "*"


@dataclass(frozen=True)
class Entry:
    """One entry as it is written into the settings."""

    name: str
    where: str
    field: str
    reason: str
    owner: str
    expires: date

    @property
    def content(self) -> dict[str, object]:
        """As the file has it; a day of its own each, for YAML writes one object that occurs twice as a reference."""
        whole = {"field": self.field} if self.field != _EVERYTHING else {}
        return {
            "where": self.where,
            **whole,
            "reason": self.reason,
            "owner": self.owner,
            "expires": date.fromisoformat(self.expires.isoformat()),
        }


def passed(report: Report, ignores: Mapping[str, IgnoredDrift], today: date) -> Report:
    """The report with what is passed over marked so; entries that are out of date and would still fit are noted."""
    valid = {name: one for name, one in ignores.items() if one.expires >= today}
    objects = tuple(_object(one, valid.values()) for one in report.objects)
    old = [_expired(name, one) for name, one in ignores.items() if name not in valid and _is_wanted(one, objects)]
    return replace(report, objects=objects, notes=(*report.notes, *old))


def entries(
    found: Iterable[Drifted], taken: Iterable[str], *, reason: str, owner: str, expires: date
) -> Iterator[Entry]:
    """One for each drifted field, or for the object where that is gone, under names that are not `taken`."""
    names = set(taken)
    for one in found:
        fields = [field.path for field in one.fields if not field.ignored]
        for path in fields if one.fate is Fate.CHANGED else [_EVERYTHING]:
            name = _free(f"{one.place.kind}-{one.place.name}".lower(), names)
            names.add(name)
            yield Entry(name, str(one.place), path, reason, owner, expires)


def until(text: str, now: datetime | None = None) -> date:
    """`2027-06-30`, or a length from now: `14d`, `4w`. Raises UsageError for anything else, and for the past."""
    today = (now or datetime.now(UTC)).date()
    match = _DAYS.fullmatch(text)
    try:
        found = today + timedelta(int(match[1]) * _LENGTH[match[2]]) if match else date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--until {text or '(nothing)'} is no day", next="--until 2027-06-30, or a length: 14d, 4w"
        ) from None
    if found < today:
        raise UsageError(f"--until {text} is over", next="--until 14d")
    return found


def _object(one: Drifted, ignores: Iterable[IgnoredDrift]) -> Drifted:
    mine = [entry for entry in ignores if fnmatchcase(str(one.place), entry.where)]
    whole = next((_text(entry) for entry in mine if entry.field == _EVERYTHING), "")
    return replace(one, ignored=whole, fields=tuple(_field(field, mine) for field in one.fields))


def _field(field: Field, ignores: Sequence[IgnoredDrift]) -> Field:
    found = (_text(entry) for entry in ignores if _fits(field.path, entry.field))
    return replace(field, ignored=next(found, ""))


def _fits(path: str, pattern: str) -> bool:
    """Brackets are those of a path, not of a pattern; what is below a field belongs to it."""
    plain = pattern.replace("[", "[[]")
    return fnmatchcase(path, plain) or fnmatchcase(path, f"{plain}.*") or fnmatchcase(path, f"{plain}[[]*")


def _is_wanted(entry: IgnoredDrift, objects: Iterable[Drifted]) -> bool:
    near = [one for one in objects if one.counts and fnmatchcase(str(one.place), entry.where)]
    return any(
        one.fate is not Fate.CHANGED
        or any(_fits(field.path, entry.field) and not field.ignored for field in one.fields)
        for one in near
    )


def _text(entry: IgnoredDrift) -> str:
    return f"{entry.reason}, {entry.owner}, until {entry.expires}"


def _expired(name: str, entry: IgnoredDrift) -> str:
    return f"turnout:review drift.ignore.{name} ended on {entry.expires} ({entry.owner}): it counts again"


def _free(stem: str, taken: set[str]) -> str:
    numbered = (f"{stem}-{number}" if number > 1 else stem for number in range(1, len(taken) + 2))
    return next(name for name in numbered if name not in taken)
