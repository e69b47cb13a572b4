"""Brings a recorded release back: a plan, checked before anything is touched, then the doing. Needs no checkout."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.errors import Refused, TurnoutError, UsageError
from cli.rollout import (
    contents,
    cursor,
    goal,
    leading,
    live,
    meanwhile,
    merging,
    opened,
    pins,
    plan,
    records,
    releases,
    restoring,
    turns,
)
from cli.rollout.book import Book, Release
from cli.rollout.control import Manifest
from cli.rollout.cursor import Cursor
from cli.rollout.goal import Rollback
from cli.rollout.going import Done, Going, Order
from cli.rollout.opened import Rollout
from cli.rollout.pins import Content, Pins
from cli.rollout.plan import Key
from cli.rollout.records import Record
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lock import Held

__all__ = ["Done", "Order", "Rollback", "carry_out", "check", "look", "must_be_possible", "prepare", "take_back"]


@dataclass(frozen=True)
class Now:
    """What the control namespace says, read in one round. `newest`: the rollout that is open, or the last one."""

    book: Book
    cursor: Cursor
    newest: Rollout | None
    pins: Pins

    @property
    def rollout(self) -> Rollout | None:
        """The one that is open."""
        return self.newest if self.newest and self.newest.open else None

    @property
    def aim(self) -> Release | None:
        """Where a rollback without a number goes: what served before the open rollout, else the last good release."""
        if self.rollout is None:
            return self.book.last_good
        rows = reversed(self.book.releases)
        return next((row for row in rows if row.record == self.rollout.record), self.book.current)


def look(kube: Kube, environment: str, to: int | None = None) -> Now:
    """What a rollback starts from. Raises Refused or UsageError where there is no release to go to; changes nothing."""
    now = _now(kube, environment)
    _target(kube, environment, now, to)
    return now


def prepare(
    kube: Kube, environment: str, to: int | None = None, only: Collection[str] = (), *, seen: Now | None = None
) -> Rollback:
    """What going back does. `to`: a release number; None: the release that served before the open rollout, else the
    last good release (see `Book.last_good`). `only`: these services, empty for all; without a number they go to the
    newest release in which one of them was another.

    `seen`: what there was before the lock was waited for. Raises Refused where others were faster, `to` apart.
    """
    now = _now(kube, environment)
    if seen is not None and to is None:
        meanwhile.must_be_as_seen(environment, seen, now)
    if only and now.rollout:
        raise UsageError(
            f"a rollout of {environment} is open: it is taken back as a whole", next=f"turnout rollback {environment}"
        )
    aim = _target(kube, environment, now, to)
    kept = records.fetch(kube, environment, aim.record)
    replaced = _replaced(kube, environment, now.book.current, aim)
    if only and to is None and replaced:
        aim, kept = _stepped(kube, environment, now.book, replaced, only)
    return _prepared(kube, environment, now, aim, kept, replaced, tuple(only))


def check(kube: Kube, wanted: Rollback, *, force: bool = False) -> None:
    """Tries on the server what is to be written before the traffic is back. Raises Refused, and nothing was touched."""
    must_have_all(wanted)
    first = [one for one in wanted.actions if leading.leads(one) or not wanted.is_warm(contents.workload(one.manifest))]
    refusals = [text for text in live.at_once(lambda one: restoring.refusal(kube, one, force), first) if text]
    if refusals:
        raise Refused(
            f"{wanted.environment} cannot go back to release {wanted.target.number}; nothing was touched",
            why="; ".join(refusals),
            next=f"turnout rollback {wanted.environment} --to {wanted.target.number} --force-conflicts",
        )


def must_be_possible(wanted: Rollback, *, cross: bool = False) -> None:
    """Raises Refused (exit 4) for a target that is pinned out itself, or that a migration cannot be undone for.

    `cross`: go over migrations that cannot be undone.
    """
    number, environment = wanted.target.number, wanted.environment
    if wanted.pinned:
        raise pins.refusal(environment, wanted.pinned, f"turnout rollback {environment} --to {number}")
    if wanted.crossed and not cross:
        raise Refused(
            f"{environment} has had a migration since release {number} that cannot be undone; nothing was touched",
            why="; ".join(wanted.crossed),
            next=f"where the old release can live with it: turnout rollback {environment} --to {number} --cross",
        )


def must_have_all(wanted: Rollback) -> None:
    """Raises Refused when configuration that the record needs is gone."""
    if wanted.gone:
        raise Refused(
            f"release {wanted.target.number} needs what {wanted.environment} no longer has; nothing was touched",
            why=f"gone: {', '.join(wanted.gone)}",
            next=f"choose another release: turnout rollback {wanted.environment} --to N",
        )


def carry_out(kube: Kube, wanted: Rollback, order: Order, held: Held, progress: Progress) -> Done:
    """Does what the plan says. Raises RollbackFailed (exit 7), which says what is amiss and how to go on."""
    return Going(kube, wanted, order, held, progress).run()


def take_back(kube: Kube, environment: str, order: Order, held: Held, progress: Progress) -> Done:
    """Ends the rollout that is open, or a change that did not end well, by going back to what served before it.

    Traffic, pin, state, as any rollback; a migration that cannot be undone is told of, and keeps no bad release
    serving. Raises Refused, KubeError before anything is touched, RollbackFailed after.
    """
    wanted = prepare(kube, environment)
    must_have_all(wanted)
    return carry_out(kube, wanted, order, held, progress)


def _now(kube: Kube, environment: str) -> Now:
    """All at once: at three in the morning every round trip counts."""
    with ThreadPoolExecutor(4) as pool:
        book = pool.submit(releases.load, kube, environment)
        at = pool.submit(cursor.read, kube, environment)
        rollout = pool.submit(opened.read, kube, environment)
        pinned = pool.submit(pins.read, kube, environment)
    return Now(book.result(), at.result(), rollout.result(), pinned.result())


def _prepared(
    kube: Kube,
    environment: str,
    now: Now,
    aim: Release,
    kept: Record,
    replaced: Record | None,
    only: tuple[str, ...],
) -> Rollback:
    record = _only(kept, only)
    found = live.objects(kube, environment, record)
    ours = now.rollout if now.rollout and _is_before(now.rollout, aim) else None
    turned = turns.of(record, now.cursor, ours, found, only)
    wanted = _placed(record, turned, found, now)
    left = _placed(replaced, turned, found, now) if replaced else None
    actions = plan.actions(wanted, _about(found, turned, only), left)
    touched = [one.manifest for one in actions if one.verb in ("create", "apply")]
    touched += [one for one in wanted.objects if _turns(one, turned)]
    known = {one.name: one for one in (kept, replaced) if one}
    leaves = replaced if now.book.left == now.book.current else _replaced(kube, environment, now.book.left, aim)
    half_done = now.book.current == aim and (now.book.open is not None or ours is not None)
    made, pieces = (kept, ()) if half_done or not only else merging.merged(replaced or kept, record)
    return Rollback(
        environment=environment,
        current=now.book.current,
        target=aim,
        record=wanted,
        kept=made,
        pieces=pieces,
        actions=actions,
        turns=turned,
        only=only,
        gone=tuple(live.gone(kube, plan.needed(record, touched))),
        half_done=half_done,
        stays_open=bool(only) and now.book.open is not None,
        left=_left(now),
        rollout=now.rollout,
        bad=tuple(pins.blames(_bad(leaves, found, now, only), contents.of(made.objects))),
        rotated=goal.rotated(record, replaced),
        crossed=_crossed(kube, environment, now, aim, known),
        pinned=tuple(now.pins.against(contents.of(wanted.objects), _serving(found, now))),
        unled=tuple(leading.unknown(record, turned, found)),
    )


def _placed(record: Record, turned: turns.Turns, found: dict[Key, Manifest], now: Now) -> Record:
    """The record with its objects as they are to be."""
    return replace(
        record,
        objects=tuple(turns.placed(record.objects, turned, found)),
        entries=tuple(leading.placed(record.entries, turned, now.cursor, found)),
    )


def _left(now: Now) -> int:
    """The number of the release that is left: of a change that never ended the next one, which it would have had."""
    left = now.book.left
    if left is None:
        return 0
    if now.rollout:
        return left.number + _is_before(now.rollout, left)
    return left.number + (now.book.open is not None and left == now.book.current)


def _bad(leaves: Record | None, found: dict[Key, Manifest], now: Now, only: tuple[str, ...]) -> dict[str, Content]:
    """What the release that is left runs: as recorded, and of a change that never ended what there is of it."""
    objects = list(leaves.objects) if leaves else []
    if now.rollout or now.book.open:
        objects += [one for one in _pods(found) if _is_new(one, now)]
    return contents.of(one for one in objects if goal.within(contents.workload(one), only))


def _serving(found: dict[Key, Manifest], now: Now) -> dict[str, Content]:
    """What serves: of two tracks the one that traffic was meant for."""
    return contents.of(one for one in _pods(found) if contents.runs(one) and _serves(one, now))


def _serves(manifest: Manifest, now: Now) -> bool:
    letter = contents.label(manifest, TRACK_LABEL)
    return letter in ("", now.cursor.of(contents.workload(manifest)).serving)


def _is_new(manifest: Manifest, now: Now) -> bool:
    """Whether it is on the track that the change was to bring."""
    service, letter = contents.workload(manifest), contents.label(manifest, TRACK_LABEL)
    target = next((one for one in now.rollout.to if one.service == service), None) if now.rollout else None
    return not letter or letter == (target.new if target else now.cursor.of(service).described)


def _pods(found: dict[Key, Manifest]) -> list[Manifest]:
    return [one for one in found.values() if contents.is_workload(one)]


def _about(found: dict[Key, Manifest], turned: turns.Turns, only: tuple[str, ...]) -> dict[Key, Manifest]:
    """The live objects that the rollback is about: no idle tracks, and of `only` some services nothing else."""
    return {
        place: one
        for place, one in found.items()
        if not turns.is_idle(one, turned) and goal.within(contents.workload(one), only)
    }


def _turns(manifest: Manifest, turned: turns.Turns) -> bool:
    turn = turned.get(contents.workload(manifest))
    return turn is not None and turn.moves and manifest["kind"] == "Deployment"


def _only(record: Record, only: Collection[str]) -> Record:
    if not only:
        return record
    known = {workload.name for workload in record.workloads}
    if unknown := sorted(set(only) - known):
        raise UsageError(
            f"that release has no {', '.join(unknown)}",
            why=f"it has {', '.join(sorted(known)) or 'nothing'}",
            next=f"turnout releases show {record.environment}",
        )
    return replace(
        record,
        objects=tuple(one for one in record.objects if contents.workload(one) in only),
        entries=tuple(one for one in record.entries if contents.workload(one) in only),
        workloads=tuple(one for one in record.workloads if one.name in only),
    )


def _stepped(
    kube: Kube, environment: str, book: Book, running: Record, only: Collection[str]
) -> tuple[Release, Record]:
    """The newest good release in which one of the services was another than it is now: to go back does something."""
    now = _of(running, only)
    for row in book.earlier:
        record = _fetched(kube, environment, row.record)
        if record and _of(_only(record, only), only) != now:
            return row, record
    raise Refused(
        f"{environment} has no release with another {' or '.join(only)} to go back to; nothing was touched",
        why="every good release since then has it as it is now",
        next=f"turnout releases list {environment}",
    )


def _of(record: Record, only: Collection[str]) -> dict[Key, Manifest]:
    return {plan.key(one): one for one in record.objects if contents.workload(one) in only}


def _is_before(rollout: Rollout, aim: Release) -> bool:
    """Whether that release is what served before the rollout."""
    return rollout.record in ("", aim.record)


def _target(kube: Kube, environment: str, now: Now, to: int | None) -> Release:
    book = now.book
    chosen = book.find(to) if to is not None else now.aim
    if chosen:
        return chosen
    known = ", ".join(str(release.number) for release in book.releases) or "none"
    why = f"kept releases: {known} ({kube.endpoint.named})"
    if to is not None:
        raise UsageError(
            f"{environment} has no release {to}",
            why=why,
            next=f"turnout rollback {environment} --to N",
        )
    raise Refused(
        f"{environment} has no release to go back to",
        why=f"{why}; the first one has nothing before it",
        next=f"turnout status {environment}",
    )


def _replaced(kube: Kube, environment: str, row: Release | None, aim: Release) -> Record | None:
    """The record of a release that is left, where it is another one; a plan can do without it."""
    if row is None or row.record == aim.record:
        return None
    return _fetched(kube, environment, row.record)


def _crossed(kube: Kube, environment: str, now: Now, aim: Release, known: dict[str, Record]) -> tuple[str, ...]:
    """Migrations between the target and now; a record that cannot be read says nothing about its own."""
    between = {row.record for row in now.book.releases if row.number > aim.number and row.kind != "rollback"}
    missing = sorted(between - set(known))
    found = live.at_once(lambda name: _fetched(kube, environment, name), missing)
    read = known | {name: record for name, record in zip(missing, found, strict=True) if record}
    return goal.crossed(aim, now.book.releases, read, now.rollout)


def _fetched(kube: Kube, environment: str, name: str) -> Record | None:
    try:
        return records.fetch(kube, environment, name)
    except TurnoutError:
        return None
