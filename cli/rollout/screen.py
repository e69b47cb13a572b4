"""Status as lines of text for people, with colour where the terminal has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from cli.rollout import lease
from cli.rollout.status import Status, WorkloadStatus

GOOD, BAD, DIM = "green", "red", "bright_black"
Line = tuple[str, str]
"""(text, colour); the empty colour is the terminal's own."""

_HEADINGS = ("", "workload", "ready", "version", "restarts", "where")


def show(lines: Iterable[Line]) -> None:
    """Print on stdout; typer leaves the colours out for NO_COLOR and where it is not a terminal."""
    import os

    import typer

    plain = "NO_COLOR" in os.environ
    for text, colour in lines:
        typer.secho(text, fg=None if plain or not colour else colour)


def status(found: Status) -> Iterator[Line]:
    """The whole screen of `turnout status`."""
    yield from summary(found)
    yield "", ""
    yield from workloads(found.workloads)
    yield "", ""
    yield f"next: {found.next}", ""


def rollout(found: Status) -> Iterator[Line]:
    """The whole screen of `turnout rollout status`: the app alone, and who serves on what."""
    yield from summary(found)
    yield "", ""
    for one in found.workloads:
        yield serves(one), GOOD if one.healthy else BAD
        yield from _why(one)
    yield "", ""
    command = f"turnout rollout abort {found.environment}, to take it back" if found.holder else found.next
    yield f"next: {command}", ""


def summary(found: Status) -> Iterator[Line]:
    """Release, lock, open change, debt."""
    healthy = sum(one.healthy for one in found.workloads)
    colour = GOOD if found.healthy and found.workloads else BAD
    yield f"{found.environment}: {healthy} of {len(found.workloads)} workloads healthy", colour
    if release := found.book.current:
        notes = filter(None, (release.kind, release.at[:19].replace("T", " "), release.git, release.who, release.why))
        yield f"release {release.number} ({', '.join(notes)})", ""
    if owner := found.holder:
        age = lease.age(owner.since, datetime.now(UTC))
        phase = f", now {owner.phase}" if owner.phase else ""
        yield f"locked by {owner.who} on {owner.host} for {age}: {owner.command}{phase}", ""
        if owner.abort:
            yield f"an abort was asked for by {owner.abort}", BAD
    if opened := found.book.open:
        yield f"a change is open: {opened.kind} by {opened.who} at {opened.at[:19].replace('T', ' ')}", BAD
    if debt := found.book.debt:
        yield f"the state does not know of release {debt.number} yet; the next turnout up settles it", ""


def workloads(found: Sequence[WorkloadStatus]) -> Iterator[Line]:
    """A table, and under each unhealthy one why."""
    rows = [_row(one) for one in found]
    widths = [max(len(row[column]) for row in (_HEADINGS, *rows)) for column in range(len(_HEADINGS))]
    if rows:
        yield _aligned(_HEADINGS, widths), DIM
    for one, row in zip(found, rows, strict=True):
        yield _aligned(row, widths), "" if one.healthy else BAD
        yield from _why(one)


def _row(one: WorkloadStatus) -> tuple[str, ...]:
    ready = f"{one.ready}/{one.desired}" if one.kind != "CronJob" else "-"
    where = f"{one.namespace}/{one.object} ({one.kind})"
    return (
        "✓" if one.healthy else "✗",
        one.name,
        ready,
        ", ".join(one.versions),
        str(one.restarts),
        where,
    )


def _why(one: WorkloadStatus) -> Iterator[Line]:
    if one.healthy:
        return
    for line in (one.reason, *one.causes):
        for part in filter(None, line.splitlines()):
            yield f"      {part}", BAD


def serves(one: WorkloadStatus) -> str:
    """`✓ api: 3 of 3 ready (3 on 1.0.0)`."""
    serving = ", ".join(f"{count} on {version}" for version, count in one.serving.items()) or "none ready"
    return f"{'✓' if one.healthy else '✗'} {one.name}: {one.ready} of {one.desired} ready ({serving})"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
