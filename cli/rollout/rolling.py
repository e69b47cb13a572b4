"""The rolling strategy: the engine applies, the workloads are watched, a release that fails is taken back at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cli.errors import Interrupted, Refused, RollbackFailed, RolledBack, TurnoutError
from cli.kube.errors import KubeError
from cli.rollout import debts, releases, rollback
from cli.rollout.book import Release
from cli.rollout.watcher import Watcher

if TYPE_CHECKING:
    from cli.engine.model import Outcome, Plan
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lock import Held


class Engine(Protocol):
    """What a rollout asks of the engine (`cli.engine.run.Engine`)."""

    root: Path
    environment: str

    def preview(self) -> Plan: ...
    def up(self, *, message: str = "") -> Outcome: ...


@dataclass(frozen=True)
class Rolled:
    """A rollout that ended well; `release` is None where nothing was to be done."""

    release: Release | None
    changes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        number = self.release.number if self.release else None
        return {"release": number, "changes": self.changes, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Failure:
    """Why a rollout failed: one line, and the evidence for it."""

    why: str
    evidence: tuple[str, ...] = ()
    error: TurnoutError | None = None

    @property
    def text(self) -> str:
        return "\n".join([self.why, *(line for line in self.evidence if line not in self.why)])


def start(
    kube: Kube,
    engine: Engine,
    held: Held,
    progress: Progress,
    *,
    reason: str = "",
    agree: Callable[[Plan], bool] | None = None,
) -> Rolled:
    """Roll to the release that the settings describe. Raises RolledBack (exit 6) or RollbackFailed (exit 7).

    `agree` is shown the plan, and nothing is touched when it says no. Where nothing is left to apply, a change that its
    driver left open is ended.
    """
    environment = engine.environment
    debts.settle_owed(kube, environment, engine.root, progress)
    held.phase("planning")
    wanted = engine.preview()
    if wanted.empty and releases.load(kube, environment).open is None:
        return Rolled(None, 0, wanted.seconds)
    if agree is not None and not wanted.empty and not agree(wanted):
        raise Interrupted(f"{environment} was not touched")
    held.phase("applying")
    ended = _attempt(kube, engine, held, reason)
    if isinstance(ended, Rolled):
        return ended
    raise _taken_back(kube, engine, held, progress, ended, reason)


def _attempt(kube: Kube, engine: Engine, held: Held, reason: str) -> Rolled | Failure:
    environment = engine.environment
    what = f"turnout rollout start {environment}"
    with releases.attempt(kube, environment, kind="rollout", reason=reason, root=engine.root, what=what) as attempt:
        outcome, failure = _apply(kube, engine, held, reason)
        if outcome is None or failure is not None:
            failure = failure or Failure("the engine failed")
            attempt.failed(failure.why)
            return failure
        release = attempt.succeeded(outcome.outputs.get(releases.RECORD))
        releases.prune(kube, environment)
        return Rolled(release, len(outcome.changes), outcome.seconds)


def _apply(kube: Kube, engine: Engine, held: Held, reason: str) -> tuple[Outcome | None, Failure | None]:
    outcome, error = None, None
    watcher = Watcher(kube, engine.environment, held)
    try:
        with watcher:
            outcome = engine.up(message=reason)
    except TurnoutError as raised:
        error = raised
    except KeyboardInterrupt:
        if not watcher.verdict:
            raise
    if watcher.verdict:
        return outcome, Failure(watcher.verdict, tuple(watcher.evidence))
    if error is not None:
        return None, Failure(error.what, (error.why,), error)
    assert outcome is not None
    return outcome, _failure(outcome)


def _failure(outcome: Outcome) -> Failure | None:
    if outcome.ok:
        return None
    if outcome.interrupted:
        raise Interrupted(
            f"the rollout of {outcome.environment} was interrupted: what runs is half of each release",
            next=f"turnout rollback {outcome.environment}, or go on: turnout rollout start {outcome.environment}",
        )
    said = [f"{failure.name}: {failure.message}" for failure in outcome.failures]
    said += [entry.message for entry in outcome.diagnostics if entry.severity == "error"]
    first = said[0].splitlines()[0] if said else "the engine failed"
    return Failure(first, tuple(said))


def _taken_back(
    kube: Kube, engine: Engine, held: Held, progress: Progress, failure: Failure, reason: str
) -> TurnoutError:
    """Goes back to the last good release; returns the error to end with. Raises Locked when it is no longer ours."""
    environment = engine.environment
    held.check()
    progress.note(f"the rollout failed, going back: {failure.why}")
    held.phase("rolling back")
    order = rollback.Order(
        command=f"turnout rollout start {environment} (automatic rollback)",
        reason=f"{failure.why} ({reason})" if reason else failure.why,
        root=engine.root,
        force=True,
    )
    try:
        done, touched = _go_back(kube, environment, order, held, progress)
    except Refused as refused:
        why = f"{failure.text}\n{refused.what}"
        return TurnoutError(f"the rollout of {environment} failed", why=why, next=refused.next)
    except KubeError as error:
        why = f"{failure.text}\nthen: {error.what}: {error.why}"
        return RollbackFailed(
            f"{environment} could not be rolled back", why=why, next=f"turnout rollback {environment}"
        )
    if failure.error is not None and not touched:
        return failure.error
    owed = f"\nthe Pulumi state is not settled yet: {done.owed}" if done.owed else ""
    return RolledBack(
        f"the rollout of {environment} failed and was rolled back: release {done.release.number} serves",
        why=failure.text + owed,
        next=f"mend the settings or the image, then turnout rollout start {environment}",
    )


def _go_back(
    kube: Kube, environment: str, order: rollback.Order, held: Held, progress: Progress
) -> tuple[rollback.Done, int]:
    wanted = rollback.prepare(kube, environment)
    rollback.must_have_all(wanted)
    return rollback.carry_out(kube, wanted, order, held, progress), len(wanted.actions)
