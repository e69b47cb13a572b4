"""Status as lines of text for people, with colour where the terminal has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cli.rollout import lease
from cli.rollout.pins import Pin
from cli.rollout.standing import Standing, Track
from cli.rollout.status import Status, WorkloadStatus, version

GOOD, BAD, WARN, DIM, BOLD = "green", "red", "yellow", "bright_black", "bold"
Line = tuple[str, str]
"""(text, colour); the empty colour is the terminal's own."""

_BRIEF = 72
_HEADINGS = ("", "workload", "ready", "version", "track", "restarts", "where")


def show(lines: Iterable[Line]) -> None:
    """Print on stdout; typer leaves the colours out for NO_COLOR and where it is not a terminal."""
    import os

    import typer

    plain = "NO_COLOR" in os.environ
    for text, colour in lines:
        styled = not plain and colour
        typer.secho(text, fg=colour if styled and colour != BOLD else None, bold=True if styled == BOLD else None)


def status(found: Standing) -> Iterator[Line]:
    """The whole screen of `turnout status`."""
    yield from summary(found.status)
    yield from around(found)
    yield "", ""
    yield from workloads(found.status.workloads, roles(found))
    yield "", ""
    yield f"next: {found.next}", ""


def around(found: Standing) -> Iterator[Line]:
    """The open rollout, pins, the freeze."""
    rollout = found.rollout
    if rollout and rollout.open:
        waits = f", waits for {rollout.waits}" if rollout.waits else ""
        step = f"step {rollout.at + 1} of {len(rollout.course)}"
        yield f"a rollout by {rollout.starter} is {rollout.status}, {step}{waits}", WARN
    for pin in found.pins:
        yield pinned(pin), WARN
    if found.frozen:
        yield f"frozen, {found.frozen}", WARN


def pinned(pin: Pin) -> str:
    """`agents:1.2.9 may not come back (pin 41, by bob: errors)`."""
    because = f": {brief(pin.why)}" if pin.why else ""
    blamed = replace(pin.blame, images=tuple(map(_short, pin.blame.images)))
    return f"{blamed} may not come back (pin {pin.number}, by {pin.who}{because})"


def brief(text: str) -> str:
    """Its first line, cut where a screen would be full of it."""
    line = text.partition("\n")[0]
    return line if len(line) <= _BRIEF else line[: _BRIEF - 1] + "…"


def _short(image: str) -> str:
    """`agents:1.2.9` of `registry:5000/agents:1.2.9@sha256:…`."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return f"{name}:{version(image)}"


def roles(found: Standing) -> dict[str, str]:
    """Object → what its track does, of those that are one of two: `b warm, frozen`."""
    return {track.workload.object: role(track) for one in found.services if len(one.tracks) > 1 for track in one.tracks}


def role(track: Track) -> str:
    """`a serves`, `b candidate 10%`, `a warm until 12:10:00, frozen`."""
    share = f" {track.share:.0%}" if track.role == "candidate" else ""
    until = f" until {track.workload.warm_until[11:19]}" if track.role == "warm" and track.workload.warm_until else ""
    return f"{track.letter} {track.role}{share}{until}" + (", frozen" if track.frozen else "")


def summary(found: Status) -> Iterator[Line]:
    """Release, lock, open change, debt."""
    healthy = sum(one.healthy for one in found.workloads)
    colour = GOOD if found.healthy and found.workloads else BAD
    yield f"{found.environment}: {healthy} of {len(found.workloads)} workloads healthy", colour
    if release := found.book.current:
        when = release.at[:19].replace("T", " ")
        notes = filter(None, (release.kind, when, release.git, release.who, brief(release.why)))
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


def workloads(found: Sequence[WorkloadStatus], tracks: Mapping[str, str]) -> Iterator[Line]:
    """A table, and under each unhealthy one why. `tracks`: as `roles`; the column is left out where there are none."""
    table = [_HEADINGS, *(_row(one, tracks.get(one.object, "")) for one in found)]
    headings, *rows = table if tracks else [(*row[:4], *row[5:]) for row in table]
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    if rows:
        yield _aligned(headings, widths), DIM
    for one, row in zip(found, rows, strict=True):
        yield _aligned(row, widths), "" if one.healthy else BAD
        yield from _why(one)


def _row(one: WorkloadStatus, track: str) -> tuple[str, ...]:
    ready = f"{one.ready}/{one.desired}" if one.kind != "CronJob" else "-"
    where = f"{one.namespace}/{one.object} ({one.kind})"
    return (
        "✓" if one.healthy else "✗",
        one.name,
        ready,
        ", ".join(one.versions),
        track,
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
