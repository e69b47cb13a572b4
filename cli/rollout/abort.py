"""Ends a rollout from outside: its driver is asked to go back, and where that one is dead it is done here."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import Locked, RollbackFailed, TurnoutError
from cli.rollout import goal, lock, opened, records, releases, rollback
from cli.rollout.lock import environment_lock

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Progress, Step
    from cli.rollout.lease import Holder
    from cli.rollout.opened import Rollout

PATIENCE = 900.0
_LOOK = 0.5


def abort(kube: Kube, environment: str, progress: Progress, *, reason: str = "", root: Path | None = None) -> str:
    """Returns what happened, as one line.

    Raises RollbackFailed (exit 7) where the driver could not take it back, TurnoutError where it was done first.
    """
    before = opened.read(kube, environment)
    owner = lock.living(kube, environment)
    if owner is not None:
        _ask(kube, environment, owner, progress, reason)
        if said := _left(kube, environment, before):
            return said
    elif not _is_open(kube, environment):
        return _nothing(environment)
    return _go_back(kube, environment, progress, reason, root)


def _nothing(environment: str) -> str:
    return f"{environment}: no rollout is under way"


def _is_open(kube: Kube, environment: str) -> bool:
    return opened.under_way(kube, environment) is not None or releases.load(kube, environment).open is not None


def _ask(kube: Kube, environment: str, owner: Holder, progress: Progress, reason: str) -> None:
    """Returns when the driver has ended, or has died."""
    if not owner.drives:
        raise Locked(
            f"{environment} is held by something that is no rollout",
            why=f"{owner.who} on {owner.host} runs {owner.command}",
            next=f"turnout status {environment}",
        )
    who = lock.local_user() + (f": {reason}" if reason else "")
    if lock.ask_abort(kube, environment, who) is None:
        return
    with progress.step(f"{owner.who} on {owner.host} takes the rollout back") as step:
        _wait_for_end(kube, environment, owner, step)


def _wait_for_end(kube: Kube, environment: str, owner: Holder, step: Step) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        now = lock.living(kube, environment)
        if now is None or now.token != owner.token:
            return
        step.update(now.phase)
        time.sleep(_LOOK)
    raise TurnoutError(
        f"the rollout of {environment} did not end",
        why=f"{owner.who} on {owner.host} was asked to take it back and still holds the lock",
        next=f"turnout rollout status {environment}",
    )


def _left(kube: Kube, environment: str, before: Rollout | None) -> str:
    """What the driver made of it; empty where it left it open. `before`: the newest rollout before it was asked."""
    found = opened.read(kube, environment)
    if found is None or (before is not None and not before.open and found.id == before.id):
        return f"{environment}: its driver ended before it began anything"
    if found.open:
        _must_not_have_failed(environment, found)
        return ""
    if not found.record and found.status != "done":
        return _first(environment)
    current = releases.load(kube, environment).current
    serves = f"release {current.number} serves" if current else ""
    if found.status == "done":
        raise TurnoutError(
            f"the rollout of {environment} was done before it could be aborted",
            why=serves,
            next=f"turnout rollback {environment}" if found.record else f"turnout status {environment}",
        )
    how = "aborted" if found.status == "aborted" else "the rollout failed by itself and was taken back"
    return "; ".join([f"{environment}: {how}; {serves}", *_lasting(kube, environment, found)])


def _lasting(kube: Kube, environment: str, ended: Rollout) -> list[str]:
    """What its driver could not undo."""
    if not ended.irreversible:
        return []
    known = []
    with suppress(TurnoutError):
        known = [records.fetch(kube, environment, ended.record)]
    return [goal.lasts(step) for step in goal.unfinished(ended, known)]


def _must_not_have_failed(environment: str, found: Rollout) -> None:
    if found.status == "failed":
        raise RollbackFailed(
            f"the rollout of {environment} could not be taken back",
            why="\n".join([found.cause, *(event.text for event in found.events[-1:])]),
            next=f"turnout status {environment}, then turnout rollback {environment}",
        )


def _first(environment: str) -> str:
    return f"{environment}: the rollout of the first release is ended; there is none to go back to"


def _go_back(kube: Kube, environment: str, progress: Progress, reason: str, root: Path | None) -> str:
    order = rollback.Order(f"turnout rollout abort {environment}", reason, root, force=True)
    with environment_lock(kube, environment, command=order.command, reason=reason, progress=progress) as held:
        if not _is_open(kube, environment):  # what would be gone back to is the release before the one that serves
            return _nothing(environment)
        if _closed_without_a_release(kube, environment):
            return _first(environment)
        done = rollback.take_back(kube, environment, order, held, progress)
    said = f"{environment}: its driver was gone, so it was taken back here; release {done.release.number} serves"
    return "; ".join([said, *map(goal.lasts, done.crossed)])


def _closed_without_a_release(kube: Kube, environment: str) -> bool:
    """Whether the open rollout was the first release's: what it brought stays, and nobody goes on with it."""
    found = opened.under_way(kube, environment)
    if found is None or found.record:
        return False
    opened.change(kube, environment, found.id, lambda now: now.ended("aborted"))
    releases.change(kube, environment, lambda book: replace(book, open=None))
    return True
