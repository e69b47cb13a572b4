"""What a rollback writes into the book of releases: at its beginning, and when it has ended. Pure."""

from __future__ import annotations

from dataclasses import replace

from cli.rollout.book import Book, Debt, Open, Release
from cli.rollout.goal import Rollback


def noted(book: Book, wanted: Rollback, opened: Open) -> Book:
    """With the number of what this makes, and the debt; open until it has ended.

    A change that is open stays the one it is while only some services of it go back. The state knows as much of it as
    before; what an earlier rollback owes is now what serves.
    """
    if not wanted.half_done:
        book = book.numbered(_release(wanted, opened))
    assert book.current
    debt = Debt(book.current.number, wanted.kept.name)
    if wanted.stays_open:
        return replace(book, debt=debt if book.debt else None)
    return replace(book, open=opened, debt=debt)


def closed(book: Book, wanted: Rollback, release: Release, outcome: str) -> Book:
    """With how it ended. What is done stays done, and of a change that stays open nothing is."""
    done = outcome == "done"
    if done and wanted.stays_open:
        return book
    rows = (replace(row, outcome=outcome) if _is_meant(row, release) else row for row in book.releases)
    return replace(book, releases=tuple(rows), open=None if done else book.open)


def _is_meant(row: Release, release: Release) -> bool:
    return row.number == release.number and row.unended


def _release(wanted: Rollback, opened: Open) -> Release:
    return Release(
        number=0,
        record=wanted.kept.name,
        at=opened.at,
        who=opened.who,
        why=opened.why,
        kind="rollback",
        outcome="under way",
        restores=wanted.target.number,
    )
