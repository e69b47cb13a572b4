"""What `turnout releases` says: rows, one release, two compared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cli.errors import UsageError
from cli.rollout.book import Book, Release
from cli.rollout.contrast import Contrast
from cli.rollout.plan import key
from cli.rollout.records import Record
from components.manifest import lasting_name

_SIGNS = {"added": "+", "changed": "~", "removed": "-"}


def chosen(book: Book, environment: str, number: int | None) -> Release:
    """The release of that number, or the current one. Raises UsageError, naming what there is."""
    found = book.current if number is None else book.find(number)
    if found:
        return found
    kept = [release.number for release in book.releases]
    raise UsageError(
        f"{environment} has no release {number}" if number is not None else f"{environment} has no release yet",
        why=f"kept are {kept[0]} to {kept[-1]}" if kept else "the first turnout up makes one",
        next=f"turnout releases list {environment}" if kept else f"turnout up {environment}",
    )


def before(book: Book, release: Release) -> int:
    """The number of the release that stands before one; its own when it is the oldest."""
    older = [other.number for other in book.releases if other.number < release.number]
    return older[-1] if older else release.number


def row(book: Book, release: Release) -> dict[str, Any]:
    """A release as JSON."""
    return release.to_json() | {"current": release == book.current}


def table(book: Book, releases: Sequence[Release]) -> list[str]:
    """One line a release."""
    width = max((len(str(release.number)) for release in releases), default=0)
    return [_line(book, release, width) for release in releases]


def described(book: Book, release: Release, record: Record) -> Iterator[str]:
    """A release, its workloads and its configuration."""
    yield _line(book, release, 0)
    yield f"record {record.name}, {len(record.objects)} objects"
    for workload in record.workloads:
        yield f"  {workload.kind} {workload.namespace}/{workload.object}  {', '.join(workload.images)}"
    for manifest in record.objects:
        if manifest["kind"] == "ConfigMap":
            yield f"  ConfigMap {key(manifest)[1]}/{lasting_name(manifest)}"


def contrasted(older: Release, newer: Release, found: Iterable[Contrast]) -> Iterator[str]:
    """What the newer one has otherwise."""
    rows = list(found)
    yield f"release {older.number} → {newer.number}: " + (f"{len(rows)} objects differ" if rows else "no difference")
    for one in rows:
        yield f"  {_SIGNS[one.verb]} {one.title}"
        yield from (f"      {field}" for field in one.fields)


def _line(book: Book, release: Release, width: int) -> str:
    content = f"content of {release.restores}" if release.restores else ""
    current = "current" if release == book.current else ""
    notes = (current, release.kind, content, "" if release.outcome == "done" else release.outcome)
    about = (release.who and f"by {release.who}", release.git, release.why)
    parts = (f"{release.number:>{width}}", f"{release.at[:19]}Z", *notes, *about)
    return "  ".join(part for part in parts if part)
