"""Ends a rollout from outside: its driver is asked to go back, and where that one is dead it is done here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import Locked, TurnoutError
from cli.rollout import audit, lock, releases, rollback
from cli.rollout.lock import environment_lock

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Progress, Step
    from cli.rollout.lease import Holder

PATIENCE = 900.0
_LOOK = 0.5


def abort(kube: Kube, environment: str, progress: Progress, *, reason: str = "", root: Path | None = None) -> str:
    """Returns what happened, as one line."""
    owner = lock.current(kube, environment)
    if owner is not None and not lock.dead(kube, environment):
        return _ask(kube, environment, owner, progress, reason)
    if owner is None and releases.load(kube, environment).open is None:
        return f"{environment}: no rollout is under way"
    return _go_back(kube, environment, progress, reason, root)


def _ask(kube: Kube, environment: str, owner: Holder, progress: Progress, reason: str) -> str:
    if "rollout start" not in owner.command:
        raise Locked(
            f"{environment} is held by something that is no rollout",
            why=f"{owner.who} on {owner.host} runs {owner.command}",
            next=f"turnout status {environment}",
        )
    who = lock.local_user() + (f": {reason}" if reason else "")
    if lock.ask_abort(kube, environment, who) is None:
        return f"{environment}: the rollout ended before it could be aborted"
    with progress.step(f"{owner.who} on {owner.host} takes the rollout back") as step:
        _wait_for_end(kube, environment, owner, step)
    newest = audit.entries(kube, environment)[:1]
    return f"{environment}: aborted; {newest[0].what}: {newest[0].outcome}" if newest else f"{environment}: aborted"


def _wait_for_end(kube: Kube, environment: str, owner: Holder, step: Step) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        now = lock.current(kube, environment)
        if now is None or now.token != owner.token:
            return
        step.update(now.phase)
        time.sleep(_LOOK)
    raise TurnoutError(
        f"the rollout of {environment} did not end",
        why=f"{owner.who} on {owner.host} was asked to take it back and still holds the lock",
        next=f"turnout rollout status {environment}",
    )


def _go_back(kube: Kube, environment: str, progress: Progress, reason: str, root: Path | None) -> str:
    order = rollback.Order(f"turnout rollout abort {environment}", reason, root, force=True)
    with environment_lock(kube, environment, command=order.command, reason=reason, progress=progress) as held:
        wanted = rollback.prepare(kube, environment)
        rollback.must_have_all(wanted)
        done = rollback.carry_out(kube, wanted, order, held, progress)
    return f"{environment}: its driver was gone, so it was taken back here; release {done.release.number} serves"
