"""Takes a failed rollout back, and says what came of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.errors import Locked, Refused, RollbackFailed, RolledBack, TurnoutError
from cli.rollout import goal, notify, rollback
from cli.rollout.going import serving_now

if TYPE_CHECKING:
    from cli.rollout.attention import Failed
    from cli.rollout.going import Done
    from cli.rollout.opened import Rollout
    from cli.rollout.site import Site


def taken_back(site: Site, rollout: Rollout, failure: Failed) -> TurnoutError:
    """Goes back to what served before; returns the error to end with. Raises Locked when it is no longer ours."""
    environment = site.environment
    site.held.check()
    site.progress.note(f"the rollout failed, going back: {failure.cause}")
    site.held.phase("rolling back")
    site.change(rollout.id, lambda now: replace(now, cause=failure.cause).said(f"going back: {failure.cause}"))
    try:
        done = rollback.take_back(site.kube, environment, _order(site, rollout, failure), site.held, site.progress)
    except Locked:
        raise
    except TurnoutError as error:
        return _stuck(site, rollout, failure, error)
    if failure.error is not None and not done.applied:
        return failure.error
    owed = f"\nthe Pulumi state is not settled yet: {done.owed}" if done.owed else ""
    lasting = "".join(f"\n{goal.lasts(step)}" for step in done.crossed)
    verb = "was aborted" if failure.aborted else "failed and was rolled back"
    return RolledBack(
        f"the rollout of {environment} {verb}: release {done.release.number} serves",
        why=failure.text + lasting + owed,
        next=_next(environment, done),
    )


def _next(environment: str, done: Done) -> str:
    again = f"mend the settings or the image, then turnout rollout start {environment}"
    unpin = f"; to let the same in again: turnout unpin {environment} {done.pins[0].number}" if done.pins else ""
    return again + unpin


def _order(site: Site, rollout: Rollout, failure: Failed) -> rollback.Order:
    reason = f"{failure.cause} ({rollout.reason})" if rollout.reason else failure.cause
    return rollback.Order(
        command=f"turnout rollout start {site.environment} ({'aborted' if failure.aborted else 'automatic rollback'})",
        reason=reason,
        root=site.engine.root,
        force=True,
        failed=not failure.aborted,
    )


def _stuck(site: Site, rollout: Rollout, failure: Failed, error: TurnoutError) -> TurnoutError:
    """The rollback failed too, or was refused: the rollout stays open.

    The first release of all has nothing to go back to, and nothing to keep open for.
    """
    with suppress(TurnoutError):
        site.change(rollout.id, lambda now: replace(now, status="failed").said(f"the rollback failed: {error.what}"))
        if not rollout.record:
            site.change(rollout.id, lambda now: now.ended("failed", failure.cause))
    if isinstance(error, Refused) and not rollout.record:
        why = f"{failure.text}\n{error.what}"
        return TurnoutError(f"the rollout of {site.environment} failed", why=why, next=error.next)
    serving = []
    if not isinstance(error, RollbackFailed):
        notify.rollback_failed(site.kube, site.environment, error.what)
        serving = serving_now(site.kube, site.environment)
    return RollbackFailed(
        f"{site.environment} could not be rolled back",
        why="\n".join([failure.text, f"then: {error.what}: {error.why}", *serving]),
        next=error.next or f"turnout rollback {site.environment}",
    )
