"""Brings a recorded release back: a plan, checked before anything is touched, then the doing. Needs no checkout."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import Refused, RollbackFailed, TurnoutError, UsageError
from cli.kube.errors import Claim, Conflict, KubeError
from cli.kube.ownership import handover
from cli.rollout import audit, debts, live, plan, records, releases, wait
from cli.rollout.book import Book, Debt, Open, Release
from cli.rollout.control import OWNER, Manifest
from cli.rollout.plan import Action, Key, Rollback
from cli.rollout.records import Record

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lock import Held

TIMEOUT = 600.0
_BY_HAND = "kubectl"


@dataclass(frozen=True)
class Order:
    """How to do it. `root`: the checkout whose state is settled; `force`: take fields from any other manager."""

    command: str
    reason: str = ""
    root: Path | None = None
    force: bool = False
    timeout: float = TIMEOUT


@dataclass(frozen=True)
class Done:
    """How it ended: the release that serves now, and why the state still has a debt (empty: it has none)."""

    release: Release
    applied: int
    seconds: float
    owed: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.number,
            "restores": self.release.restores,
            "applied": self.applied,
            "seconds": round(self.seconds, 3),
            "state": f"owed: {self.owed}" if self.owed else "settled",
        }


def target(kube: Kube, environment: str, to: int | None = None) -> Release:
    """The release that a rollback goes to. Raises Refused or UsageError where there is none; changes nothing."""
    return _target(releases.load(kube, environment), environment, to)


def prepare(kube: Kube, environment: str, to: int | None = None) -> Rollback:
    """What going back does. `to`: a release number; None: the last good release (see `Book.last_good`)."""
    book = releases.load(kube, environment)
    aim = _target(book, environment, to)
    record = records.fetch(kube, environment, aim.record)
    found = live.objects(kube, environment, record)
    actions = plan.actions(record, found, _replaced(kube, environment, book, aim))
    touched = [action.manifest for action in actions if action.verb in ("create", "apply")]
    return Rollback(
        environment=environment,
        current=book.current,
        target=aim,
        record=record,
        actions=actions,
        gone=tuple(live.gone(kube, plan.needed(record, touched))),
        half_done=book.open is not None and book.current == aim,
    )


def check(kube: Kube, wanted: Rollback, *, force: bool = False) -> None:
    """Tries everything on the server without doing it. Raises Refused, and nothing was touched."""
    must_have_all(wanted)
    refusals = [text for text in live.at_once(lambda action: _refusal(kube, action, force), wanted.actions) if text]
    if refusals:
        raise Refused(
            f"{wanted.environment} cannot go back to release {wanted.target.number}; nothing was touched",
            why="; ".join(refusals),
            next=f"turnout rollback {wanted.environment} --to {wanted.target.number} --force-conflicts",
        )


def carry_out(kube: Kube, wanted: Rollback, order: Order, held: Held, progress: Progress) -> Done:
    """Does what the plan says. Raises RollbackFailed (exit 7), which says what is amiss and how to go on."""
    return _Doing(kube, wanted, order, held, progress).run()


class _Doing:
    def __init__(self, kube: Kube, wanted: Rollback, order: Order, held: Held, progress: Progress) -> None:
        self._kube, self._wanted, self._order, self._held, self._progress = kube, wanted, order, held, progress
        self._environment = wanted.environment
        self._began = time.monotonic()
        self._entry = audit.entry(kube, order.command, why=order.reason)
        self._generations: dict[Key, int] = {}

    def run(self) -> Done:
        self._held.check()
        release, debt = self._note()
        settlement = None
        try:
            self._apply_all()
            settlement = debts.begin(self._order.root, self._environment, self._wanted.record)
            self._wait()
        except BaseException as error:
            with suppress(TurnoutError):
                self._close(release, f"failed: {_first_line(error)}", ended=False)
            if settlement is not None:
                settlement.finish()
            raise self._stopped(error) if isinstance(error, KubeError) else error from error
        return self._finish(release, debt, settlement)

    def _note(self) -> tuple[Release, Debt]:
        """Numbers the release before anything is touched: whoever comes after a crash knows where this was going."""
        opened = Open("rollback", self._entry.who, self._order.reason, self._entry.when)
        book = releases.change(self._kube, self._environment, lambda book: _noted(book, self._wanted, opened))
        assert book.current and book.debt
        return book.current, book.debt

    def _apply_all(self) -> None:
        count = len(self._wanted.actions)
        if not count:
            return
        with self._progress.step(
            f"restoring {count} object{'s' * (count != 1)} of release {self._wanted.target.number}"
        ):
            for wave in self._wanted.waves:
                self._held.check()
                live.at_once(self._do, wave)

    def _do(self, action: Action) -> None:
        done = do(self._kube, action, force=self._order.force)
        if done is not None:
            self._generations[action.key] = done["metadata"].get("generation", 0)

    def _wait(self) -> None:
        touched = {action.key for action in self._wanted.actions if action.verb in ("create", "apply")}
        restored = [place for place in wait.places(self._wanted.record.workloads) if place in touched]
        if not restored:
            return
        with self._progress.step("waiting until every workload is rolled out") as step:
            limit, check = self._order.timeout, self._held.check
            found = wait.rolled_out(self._kube, restored, self._generations, timeout=limit, step=step, check=check)
        if not wait.is_done(found):
            raise self._not_up(found)

    def _finish(self, release: Release, debt: Debt, settlement: debts.Settlement | None) -> Done:
        with ThreadPoolExecutor(1) as pool:
            closing = pool.submit(self._close, release, "done", ended=True)
            owed = "there is no checkout here" if settlement is None else settlement.finish()
        closing.result()
        if not owed:
            debts.clear(self._kube, self._environment, debt)
        return Done(release, len(self._wanted.actions), time.monotonic() - self._began, owed)

    def _close(self, release: Release, outcome: str, *, ended: bool) -> None:
        releases.change(self._kube, self._environment, lambda book: _closed(book, release, outcome, ended))
        audit.write(self._kube, self._environment, replace(self._entry, outcome=outcome, release=str(release.number)))

    def _not_up(self, found: wait.Healths) -> RollbackFailed:
        unready = {place: one for place, one in found.items() if not one.ready}
        lines = [line for (_, _, name), one in unready.items() for line in (f"{name}:", *one.lines())]
        lines += self._serving_now()
        return RollbackFailed(
            f"{self._environment} was put back to release {self._wanted.target.number}, but it does not come up",
            why="\n".join(lines),
            next=f"turnout status {self._environment}; another release: turnout rollback {self._environment} --to N",
        )

    def _stopped(self, error: KubeError) -> RollbackFailed:
        number = self._wanted.target.number
        return RollbackFailed(
            f"the rollback of {self._environment} to release {number} stopped half-way: {error.what}",
            why="\n".join([error.why, *self._serving_now()]),
            next=f"turnout rollback {self._environment} --to {number}",
        )

    def _serving_now(self) -> list[str]:
        from cli.rollout import screen, status

        try:
            found = status.read(self._kube, self._environment, component=plan.APP)
        except TurnoutError:
            return ["what serves now cannot be read"]
        return ["what serves now:", *(f"  {screen.serves(one)}" for one in found.workloads)]


def do(kube: Kube, action: Action, *, force: bool = False) -> Manifest | None:
    """Carry out one action; returns the object as the server has it now."""
    kind, namespace, name = action.key
    api_version = action.manifest["apiVersion"]
    if action.verb == "remove":
        kube.delete(api_version, kind, name, namespace)
        return None
    if action.verb == "stop":
        return kube.patch(api_version, kind, name, namespace, {"spec": action.manifest["spec"]}, OWNER)
    if action.live is not None:
        kube.run(kube.server.hand_over(action.live, OWNER))
    return _apply(kube, action.manifest, force)


def _apply(kube: Kube, manifest: Manifest, force: bool) -> Manifest:
    """What people set by hand is taken back with the release; what a controller owns only with `force`."""
    try:
        return kube.apply(manifest, OWNER, force=force)
    except Conflict as conflict:
        if not conflict.claims or not all(claim.manager.startswith(_BY_HAND) for claim in conflict.claims):
            raise
        return kube.apply(manifest, OWNER, force=True)


def _refusal(kube: Kube, action: Action, force: bool) -> str:
    """Why the server would not take it; empty when it would."""
    if action.verb not in ("create", "apply"):
        return ""
    try:
        kube.apply(action.manifest, OWNER, force=force, dry_run=True)
    except Conflict as conflict:
        if foreign := _foreign(action, conflict):
            return f"{action.title}: {'; '.join(map(str, foreign))}"
        return _refusal(kube, action, force=True)
    except KubeError as error:
        return f"{action.title}: {error.message}"
    return ""


def _foreign(action: Action, conflict: Conflict) -> list[Claim]:
    """Claims that neither the hand-over ends nor a person made."""
    entries = ((action.live or {}).get("metadata") or {}).get("managedFields") or []
    staying = {entry["manager"] for entry in handover(entries, OWNER) or entries}
    return [claim for claim in conflict.claims if claim.manager in staying and not claim.manager.startswith(_BY_HAND)]


def _target(book: Book, environment: str, to: int | None) -> Release:
    chosen = book.find(to) if to is not None else book.last_good
    if chosen:
        return chosen
    known = ", ".join(str(release.number) for release in book.releases) or "none"
    if to is not None:
        raise UsageError(
            f"{environment} has no release {to}",
            why=f"kept releases: {known}",
            next=f"turnout rollback {environment} --to N",
        )
    raise Refused(
        f"{environment} has no release to go back to",
        why=f"kept releases: {known}; the first one has nothing before it",
        next=f"turnout status {environment}",
    )


def _replaced(kube: Kube, environment: str, book: Book, aim: Release) -> Record | None:
    """The record of the release that is left; a plan can do without it."""
    if book.current is None or book.current.record == aim.record:
        return None
    try:
        return records.fetch(kube, environment, book.current.record)
    except TurnoutError:
        return None


def must_have_all(wanted: Rollback) -> None:
    """Raises Refused when configuration that the record needs is gone."""
    if wanted.gone:
        raise Refused(
            f"release {wanted.target.number} needs what {wanted.environment} no longer has; nothing was touched",
            why=f"gone: {', '.join(wanted.gone)}",
            next=f"choose another release: turnout rollback {wanted.environment} --to N",
        )


def _noted(book: Book, wanted: Rollback, opened: Open) -> Book:
    if not wanted.half_done:
        book = book.numbered(_release(wanted, opened))
    assert book.current
    return replace(book, open=opened, debt=Debt(book.current.number, wanted.record.name))


def _release(wanted: Rollback, opened: Open) -> Release:
    return Release(
        number=0,
        record=wanted.target.record,
        at=opened.at,
        who=opened.who,
        why=opened.why,
        kind="rollback",
        outcome="under way",
        restores=wanted.target.number,
    )


def _closed(book: Book, release: Release, outcome: str, ended: bool) -> Book:
    rows = (replace(row, outcome=outcome) if _is_made(row, release) else row for row in book.releases)
    return replace(book, releases=tuple(rows), open=None if ended else book.open)


def _is_made(row: Release, release: Release) -> bool:
    return row.number == release.number and row.kind == "rollback"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
