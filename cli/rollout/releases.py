"""The numbered releases in the cluster: reading the book, adopting what plain Pulumi wrote, numbering, pruning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli import git
from cli.errors import TurnoutError
from cli.rollout import audit, book, plan, records, storing
from cli.rollout.book import Book, How, Open, Release
from cli.rollout.control import names_of, namespace, stamp
from components.names import CONTENT, ENVIRONMENT, RELEASE_RECORD

if TYPE_CHECKING:
    from cli.kube.client import Kube

_ATTEMPTS = 5


def load(kube: Kube, environment: str) -> Book:
    """The book as it stands, with the records that a plain `pulumi up` left without a number."""
    source = kube.find("v1", "ConfigMap", book.NAME, namespace(environment))
    return book.read(source).adopted(_written(kube, environment))


def change(
    kube: Kube, environment: str, edit: Callable[[Book], Book], *, check: Callable[[], None] = lambda: None
) -> Book:
    """Rewrite the book; done again from the newest state when somebody else was faster.

    `check` is called before each write and may raise: whoever has lost the lock must change nothing.
    """

    def attempt() -> Book:
        new = edit(load(kube, environment))
        check()
        return book.read(storing.store(kube, environment, book.written(new, environment)))

    return storing.insist(
        attempt, f"the releases of {environment}", f"turnout status {environment}", attempts=_ATTEMPTS
    )


class Attempt:
    """A change under way: say how it ended with `succeeded` or `failed`."""

    def __init__(self, kube: Kube, environment: str, before: Book, git: str) -> None:
        assert before.open
        self._kube = kube
        self._environment = environment
        self._opened = before.open
        self._newest = before.current.number if before.current else 0
        self._git = git
        self.release: Release | None = None
        self.outcome = "interrupted"

    def succeeded(self, record: str | None) -> Release | None:
        """Number what now runs. `record` as the program exported it; None: the newest one that has no number."""
        made = change(self._kube, self._environment, lambda book: self._closed(book, record))
        self.release, self.outcome = made.current, "done"
        return made.current

    def failed(self, why: str) -> None:
        """What runs may be half of each release; the next rollback goes to the last good one."""
        self.outcome = f"failed: {why}"

    def _closed(self, book: Book, record: str | None) -> Book:
        opened = self._opened
        book = replace(book, open=None)
        if record is None or (book.current and book.current.record == record):
            return replace(book, releases=tuple(map(self._described, book.releases)))
        return book.numbered(Release(0, record, stamp(), opened.who, opened.why, self._git, opened.kind))

    def _described(self, release: Release) -> Release:
        """One that was adopted since this change began is its work."""
        if release.number <= self._newest or release.who:
            return release
        return replace(release, who=self._opened.who, why=self._opened.why, git=self._git, kind=self._opened.kind)


@contextmanager
def attempt(
    kube: Kube, environment: str, *, kind: How, reason: str = "", root: Path | None = None, what: str = ""
) -> Iterator[Attempt]:
    """Marks the change as open for as long as it has not ended well, and writes the audit entry when it ends."""
    git = commit(root) if root else ""
    made = audit.entry(kube, what or f"turnout {kind} {environment}", why=reason, git=git)
    opened = Open(kind, made.who, reason, made.when)
    before = change(kube, environment, lambda book: replace(book, open=opened))
    attempt = Attempt(kube, environment, before, git)
    try:
        yield attempt
    except BaseException as error:
        attempt.outcome = f"failed: {first_line(error)}"
        raise
    finally:
        number = str(attempt.release.number) if attempt.release else ""
        audit.write(kube, environment, replace(made, outcome=attempt.outcome, release=number))


def first_line(error: BaseException) -> str:
    """What is kept of an error: its first line, or its kind where it has none."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def commit(root: Path) -> str:
    """The checkout's commit, with `-dirty` when files differ from it; empty outside git."""
    return (git.said(root, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*") or "").strip()


def drop(kube: Kube, environment: str, dropped: Iterable[Release]) -> list[str]:
    """Take numbers out of the book, and delete what no number needs any more; returns what was deleted."""
    gone = list(dropped)
    if gone:
        change(kube, environment, lambda found: found.without(gone))
    return _pruned(kube, environment)


def prune(kube: Kube, environment: str) -> list[str]:
    """Delete the records that no number names any more, and the configuration that only they needed.

    It never fails the change that it comes after: where a record cannot be read, or one deletion is refused, the rest
    stays until the next time.
    """
    with suppress(TurnoutError):
        return _pruned(kube, environment)
    return []


def _pruned(kube: Kube, environment: str) -> list[str]:
    kept = {release.record for release in load(kube, environment).releases}
    found = records.listed(kube, environment)
    read = {name: records.decode(pieces) for name, pieces in found.items()}
    dropped = [record for name, record in read.items() if name not in kept]
    needed = {key for name, record in read.items() if name in kept for key in _configuration(record)}
    unneeded = sorted({key for record in dropped for key in _configuration(record)} - needed)
    deleted = [_delete(kube, place) for place in unneeded if _prunable(kube, place)]
    for record in dropped:
        for piece in found[record.name]:
            kube.delete("v1", "ConfigMap", piece["metadata"]["name"], namespace(environment))
    return deleted + [record.name for record in dropped]


def _written(kube: Kube, environment: str) -> list[Release]:
    """What programs wrote; what a rollback puts together it numbers by itself, and not before it goes there."""
    found = names_of(kube, environment, RELEASE_RECORD)
    pieces = records.grouped(row for row in found if records.MERGED not in row["metadata"]["labels"])
    return [
        Release(0, name, min(row["metadata"]["creationTimestamp"] for row in rows)) for name, rows in pieces.items()
    ]


def _configuration(record: records.Record) -> set[plan.Key]:
    own = {plan.key(manifest) for manifest in record.objects if manifest["kind"] in ("ConfigMap", "Secret")}
    return own | plan.references(record.objects)


def _prunable(kube: Kube, place: plan.Key) -> bool:
    kind, space, name = place
    live = kube.find("v1", kind, name, space)
    return bool(
        live and CONTENT in (live["metadata"].get("labels") or {}) and live["metadata"]["labels"].get(ENVIRONMENT)
    )


def _delete(kube: Kube, place: plan.Key) -> str:
    kind, space, name = place
    kube.delete("v1", kind, name, space)
    return f"{kind} {space}/{name}"
