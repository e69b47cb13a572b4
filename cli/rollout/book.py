"""The numbered releases of an environment as data (ConfigMap `releases`): what is current, and what came before it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from cli.rollout import storing
from cli.rollout.control import Manifest

NAME = "releases"
KEPT = 50
OPEN = "turnout.dev/open"
DEBT = "turnout.dev/debt"

How = Literal["up", "rollout", "rollback"]


@dataclass(frozen=True)
class Release:
    """One numbered release. A rollback to release 5 is a new release with the record of 5 and `restores` 5."""

    number: int
    record: str
    at: str
    who: str = ""
    why: str = ""
    git: str = ""
    kind: How = "up"
    outcome: str = "done"
    restores: int | None = None

    @property
    def unended(self) -> bool:
        """Whether it is a rollback that did not reach its end."""
        return self.kind == "rollback" and self.outcome != "done"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Open:
    """A change that began and has not ended well: what runs may be neither the old release nor the new one."""

    kind: How
    who: str
    why: str
    at: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Debt:
    """A rollback that the Pulumi state does not know of yet."""

    number: int
    record: str


@dataclass(frozen=True)
class Book:
    """Every kept release, oldest first, the change that is open, and the debt."""

    releases: tuple[Release, ...] = ()
    open: Open | None = None
    debt: Debt | None = None
    source: Manifest | None = field(default=None, compare=False, repr=False)

    @property
    def current(self) -> Release | None:
        return self.releases[-1] if self.releases else None

    def find(self, number: int) -> Release | None:
        return next((release for release in self.releases if release.number == number), None)

    @property
    def restored(self) -> int:
        """The number whose content serves: of a rollback, the release that it went back to."""
        return (self.current.restores or self.current.number) if self.current else 0

    @property
    def previous(self) -> Release | None:
        """The release that a rollback without a number goes to: the last good one with other content."""
        return self._before(self.current) if self.current else None

    @property
    def left(self) -> Release | None:
        """The release that a rollback leaves: the current one; while a rollback is open the one that that leaves."""
        if not self.open or self.open.kind != "rollback":
            return self.current
        return next((row for row in reversed(self.releases) if not row.unended), self.current)

    @property
    def earlier(self) -> Iterator[Release]:
        """Where a rollback goes by default, and what comes before that, one after the other."""
        found = self.last_good
        while found:
            yield found
            found = self._before(found)

    @property
    def last_good(self) -> Release | None:
        """Where a rollback goes by default: to the current release while a change is open, else to the one before."""
        return self.current if self.open else self.previous

    def numbered(self, release: Release) -> Book:
        """With one more release: its number is the next one; the oldest beyond what is kept are dropped."""
        number = self.current.number + 1 if self.current else 1
        return replace(self, releases=(*self.releases, replace(release, number=number))[-KEPT:])

    def beyond(self, kept: int) -> tuple[Release, ...]:
        """The oldest ones beyond what is kept, less those that serve or that a rollback would go to."""
        needed = {release.record for release in (self.current, self.last_good, self.previous) if release}
        return tuple(release for release in self.releases[:-kept] if release.record not in needed)

    def without(self, dropped: Iterable[Release]) -> Book:
        numbers = {release.number for release in dropped}
        return replace(self, releases=tuple(row for row in self.releases if row.number not in numbers))

    def adopted(self, found: Iterable[Release]) -> Book:
        """With the records that no number names yet, in the order in which they were written.

        `found` are all records there are, `at` being the server's stamp. One that is older than a numbered one is no
        new release: its number was dropped.
        """
        rows = sorted(found, key=lambda release: (release.at, release.record))
        known = {release.record for release in self.releases}
        newest = max((row.at for row in rows if row.record in known), default="")
        book = self
        for row in rows:
            if row.record not in known and row.at >= newest:
                book = book.numbered(row)
        return book

    def _before(self, release: Release) -> Release | None:
        """Rollbacks are undone steps: what a rollback to 5 has before it is what 5 has before it.

        One of a few services only has release 5 itself before it.
        """
        restored = self.find(release.restores) if release.restores is not None else None
        if restored:
            if restored.record != release.record:
                return restored
            return self._before(restored)
        older = (other for other in reversed(self.releases) if other.number < release.number)
        return next((other for other in older if other.outcome == "done" and other.record != release.record), None)


def read(source: Manifest | None) -> Book:
    """The book in its ConfigMap; an empty one when there is none yet."""
    if source is None:
        return Book()
    notes = source["metadata"].get("annotations") or {}
    rows = sorted(
        ((int(key), json.loads(text)) for key, text in (source.get("data") or {}).items()), key=lambda row: row[0]
    )
    return Book(
        releases=tuple(_release(number, row) for number, row in rows),
        open=Open(**json.loads(notes[OPEN])) if notes.get(OPEN) else None,
        debt=Debt(**json.loads(notes[DEBT])) if notes.get(DEBT) else None,
        source=source,
    )


def written(book: Book, environment: str) -> Manifest:
    """The ConfigMap of a book; it carries the resourceVersion that the book was read at."""
    source = book.source or {"metadata": {}}
    notes = {
        key: text for key, text in (source["metadata"].get("annotations") or {}).items() if key not in (OPEN, DEBT)
    }
    if book.open:
        notes[OPEN] = json.dumps(asdict(book.open))
    if book.debt:
        notes[DEBT] = json.dumps(asdict(book.debt))
    data = {str(release.number): _row(release) for release in book.releases}
    return storing.config_map(environment, NAME, data, book.source, annotations=notes)


def _release(number: int, row: Mapping[str, Any]) -> Release:
    known = {key: row[key] for key in Release.__dataclass_fields__ if key in row and key != "number"}
    return Release(number=number, **known)


def _row(release: Release) -> str:
    fields = {key: value for key, value in asdict(release).items() if key != "number" and value not in ("", None)}
    return json.dumps(fields)
