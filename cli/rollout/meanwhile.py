"""Whether a rollback that waited for its environment still is the one that was asked for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import Refused

if TYPE_CHECKING:
    from cli.rollout.book import Book, Open, Release
    from cli.rollout.opened import Rollout
    from cli.rollout.rollback import Now


def must_be_as_seen(environment: str, seen: Now, now: Now) -> None:
    """Raises Refused (exit 4) where others changed what is gone back to, or what is gone back from.

    A rollout or an `up` that was open and went on, to its end even, still is what is gone back from.
    """
    if seen.aim and now.aim and seen.aim.record == now.aim.record and _leaves_the_same(seen, now):
        return
    raise Refused(
        f"{environment} is no longer what this rollback was asked for; nothing was touched",
        why=_what_came(environment, seen, now),
        next=f"turnout status {environment}; to go back from there: turnout rollback {environment}",
    )


def _leaves_the_same(seen: Now, now: Now) -> bool:
    if seen.rollout:
        return _went_on(seen.rollout, now.newest) and (now.rollout is not None or _came(seen.book, now.book) <= 1)
    if now.rollout:
        return False
    if now.book.open:  # a rollback that stopped half-way is gone on with
        return now.book.open == seen.book.open or now.book.open.kind == "rollback"
    if seen.book.open:
        return _came(seen.book, now.book) == 1 and _is_work_of(seen.book.open, now.book.current)
    return _record(seen.book) == _record(now.book)


def _went_on(rollout: Rollout, newest: Rollout | None) -> bool:
    return newest is not None and newest.id == rollout.id and (newest.open or newest.status == "done")


def _is_work_of(change: Open, release: Release | None) -> bool:
    made = (release.kind, release.who, release.why) if release else None
    return made == (change.kind, change.who, change.why)


def _came(before: Book, after: Book) -> int:
    """How many releases."""
    return _number(after) - _number(before)


def _what_came(environment: str, seen: Now, now: Now) -> str:
    if now.rollout and (seen.rollout is None or seen.rollout.id != now.rollout.id):
        return f"a rollout began meanwhile and is open: {now.rollout.starter} began it"
    change = now.book.open
    if change and change != seen.book.open:
        return f"{change.who} began something meanwhile that did not end well ({change.kind})"
    serves = f"release {_number(now.book)} serves"
    if _went_back(seen, now):
        return f"somebody else went back meanwhile: {serves}"
    if _came(seen.book, now.book):
        return f"somebody else changed {environment} meanwhile: {serves}"
    return f"what was open is over: {serves}"


def _went_back(seen: Now, now: Now) -> bool:
    current = now.book.current
    if _came(seen.book, now.book):
        return current is not None and current.kind == "rollback"
    return seen.rollout is not None and not _went_on(seen.rollout, now.newest)


def _number(book: Book) -> int:
    return book.current.number if book.current else 0


def _record(book: Book) -> str:
    return book.current.record if book.current else ""
