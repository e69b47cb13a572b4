"""Carries a rollback out: traffic first, then the pin, then the state."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import RollbackFailed, TurnoutError
from cli.kube.errors import AlreadyExists, KubeError
from cli.rollout import (
    audit,
    contents,
    cursor,
    debts,
    goal,
    leading,
    live,
    moves,
    notify,
    noting,
    opened,
    pins,
    plan,
    releases,
    restoring,
    routes,
    turns,
    wait,
)
from cli.rollout.book import Book, Debt, Open, Release
from cli.rollout.control import MANAGER
from cli.rollout.guard import looked_after
from cli.rollout.pins import Pin
from cli.rollout.plan import Action, Key
from cli.rollout.turns import Turn
from components.names import APP

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.goal import Rollback
    from cli.rollout.lock import Held
    from cli.rollout.opened import Rollout

TIMEOUT = 600.0
LISTEN = 0.25
"""Seconds between two looks at the lock: somebody may take it and do the same."""
GATEWAY = 20.0
"""Seconds that a gateway gets to take up what changed: it may be down itself."""
SETTLING = 10
"""The niceness of what settles the state meanwhile: what serves comes first."""


@dataclass(frozen=True)
class Order:
    """How to do it. `root`: the checkout whose state is settled; `force`: take fields from any other manager; `failed`:
    it is a rollout that failed, not a person, who goes back."""

    command: str
    reason: str = ""
    root: Path | None = None
    force: bool = False
    timeout: float = TIMEOUT
    failed: bool = False


@dataclass(frozen=True)
class Done:
    """How it ended: the release that serves now, and why the state still has a debt (empty: it has none).

    `traffic`: seconds until new connections went back; None where no traffic had to be moved. `crossed`: migrations
    that were not undone. `alone`: services that went back of a change that is open still; empty: it is over.
    """

    release: Release
    applied: int
    seconds: float
    owed: str = ""
    pins: tuple[Pin, ...] = ()
    traffic: float | None = None
    crossed: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.number,
            "restores": self.release.restores,
            "applied": self.applied,
            "seconds": round(self.seconds, 3),
            "traffic_seconds": None if self.traffic is None else round(self.traffic, 3),
            "state": f"owed: {self.owed}" if self.owed else "settled",
            "pinned": [pin.to_json() for pin in self.pins],
            "open": bool(self.alone),
        }


class Going:
    """One rollback under way."""

    def __init__(self, kube: Kube, wanted: Rollback, order: Order, held: Held, progress: Progress) -> None:
        self._kube, self._wanted, self._order, self._held, self._progress = kube, wanted, order, held, progress
        self._environment = wanted.environment
        self._began = time.monotonic()
        self._entry = audit.entry(kube, order.command, why=order.reason)
        self._generations: dict[Key, int] = {}
        self._done: set[Key] = set()
        self._turned: set[str] = set()
        self._unready: wait.Healths = {}
        self._traffic: float | None = None

    def run(self) -> Done:
        with looked_after(self._held, LISTEN):
            return self._run()

    def _run(self) -> Done:
        self._held.check()
        release, debt = self._note()
        settlement = None
        try:
            self._go_back()
            pinned = self._pin()
            settlement = self._settle()
            self._end()
            self._held.check()
        except BaseException as error:
            self._say_failed(release, releases.first_line(error))
            if settlement is not None:
                settlement.finish()
            self._held.check()
            if isinstance(error, KubeError):
                raise self._stopped(error) from error
            raise
        self._tell(release)
        return self._finish(release, debt, settlement, pinned)

    def _say_failed(self, release: Release, cause: str) -> None:
        """Whoever took the lock goes on with the same release: then nothing but the audit trail is ours to write."""
        with suppress(TurnoutError):
            self._held.look()
        if not self._held.lost:
            notify.rollback_failed(self._kube, self._environment, cause)
        with suppress(TurnoutError):
            self._close(release, f"failed: {cause}", ended=False)

    def _note(self) -> tuple[Release, Debt | None]:
        """Numbers the release before anything is touched: whoever comes after a crash knows where this was going."""
        for piece in self._wanted.pieces:
            with suppress(AlreadyExists):
                self._kube.create(piece, MANAGER)
        opened = Open("rollback", self._entry.who, self._order.reason, self._entry.when)
        book = self._write(lambda book: noting.noted(book, self._wanted, opened))
        assert book.current
        return book.current, book.debt

    def _go_back(self) -> None:
        """Warm tracks get their traffic before anything else but entries is written; the rest follows callers first."""
        levels = self._wanted.levels
        if self._wanted.rollout is not None:
            cursor.change(self._kube, self._environment, cursor.Cursor.unlocked, check=self._held.check)
        # Before the first caller comes back: it calls at once.
        self._do_all([one for one in self._wanted.actions if leading.leads(one)])
        if levels:
            with self._progress.step(f"going back to release {self._wanted.target.number}"):
                while levels and all(map(self._wanted.is_warm, levels[0])):
                    self._turn(levels.pop(0))
                if levels:
                    self._bring(levels)
        if self._wanted.moving:
            self._point(turns.settled, [turn for turn in self._wanted.moving if turn.service not in self._stuck])
            self._end_tracks()

    def _bring(self, levels: list[tuple[str, ...]]) -> None:
        self._point(turns.described, self._wanted.moving)
        left = [one for one in self._wanted.actions if one.key not in self._done]
        first = [one for one in left if one.manifest["kind"] not in plan.WORKLOADS]
        for wave in plan.waves(first):
            self._do_all(wave)
        for level in levels:
            self._bring_level(level)

    def _bring_level(self, level: Collection[str]) -> None:
        """Those that can serve at once do; of the others first the pods, then the traffic."""
        self._turn([name for name in level if self._wanted.is_warm(name)])
        cold = {name for name in level if not self._wanted.is_warm(name)}
        actions = [one for one in self._wanted.restored if contents.workload(one.manifest) in cold]
        self._do_all(actions)
        waking = [turn for turn in self._wanted.moving if turn.service in cold]
        live.at_once(self._wake, waking)
        places = {one.key for one in actions} | {self._place(turn) for turn in waking}
        self._wait(sorted(place for place in places if place[0] in wait.SERVING))
        awake = [turn for turn in waking if self._place(turn) not in self._unready]
        self._make_known([turn.name for turn in awake if turn.weighted and turn.flips])
        self._turn([turn.service for turn in awake])

    def _make_known(self, backends: Sequence[str]) -> None:
        """A gateway sends nothing to pods that it does not know of yet: it answers for them with an error."""
        if backends:
            with suppress(TurnoutError):
                routes.until_backed(self._kube, self._environment, backends, timeout=GATEWAY, check=self._held.check)

    def _turn(self, services: Iterable[str]) -> None:
        """New connections go to the tracks that these services get back to."""
        chosen = [self._wanted.turns[name] for name in services]
        live.at_once(self._turn_one, chosen)
        self._turned.update(turn.service for turn in chosen)
        if any(turn.flips for turn in chosen):
            self._traffic = time.monotonic() - self._began

    def _turn_one(self, turn: Turn) -> None:
        if turn.ready < turn.copies:
            self._wake(turn)
        if not turn.flips:
            return
        if turn.weighted:
            moves.weigh(self._kube, self._environment, turn.service, {turn.to: 100}, **self._held.guarded)
        moves.select(self._kube, self._environment, turn.service, turn.to, **self._held.guarded)

    def _wake(self, turn: Turn) -> None:
        """The track has as many copies as are to serve, and its autoscaler the bounds of the one that served."""
        if turn.bounds:
            moves.bounds(self._kube, self._environment, turn.service, turn.to, *turn.bounds, **self._held.guarded)
        found = moves.scale(self._kube, self._environment, turn.service, turn.to, turn.copies, **self._held.guarded)
        self._generations[self._place(turn)] = found["metadata"].get("generation", 0)

    def _end_tracks(self) -> None:
        """What the bad release ran on a track of its own ends; its connections end within the drain time."""
        ending = [turn for turn in self._wanted.moving if turn.other and turn.service in self._turned]
        if weighted := [turn.service for turn in ending if turn.weighted and turn.flips]:
            with suppress(TurnoutError):
                routes.until_taken(self._kube, self._environment, weighted, timeout=GATEWAY, check=self._held.check)
        live.at_once(
            lambda turn: moves.scale(self._kube, self._environment, turn.service, turn.away, 0, **self._held.guarded),
            ending,
        )

    def _point(self, edit: Any, chosen: Collection[Turn]) -> None:
        if chosen:
            cursor.change(self._kube, self._environment, lambda now: edit(now, chosen), check=self._held.check)

    def _tell(self, release: Release) -> None:
        because = f": {self._order.reason}" if self._order.reason else ""
        whose = f"{', '.join(self._wanted.only)} of " if self._wanted.only else ""
        as_what = "" if self._wanted.stays_open else f" as release {release.number}"
        back = f"{whose}release {self._wanted.target.number} is back{as_what}, by {self._entry.who}{because}"
        lines = [back, *map(goal.lasts, self._wanted.crossed)]
        notify.send(self._kube, self._environment, "rollback", "\n".join(lines))

    def _pin(self) -> tuple[Pin, ...]:
        self._held.check()
        who, when, why = self._entry.who, self._entry.when, self._order.reason
        found = tuple(Pin(self._wanted.left, blame, who, when, why) for blame in self._wanted.bad)
        pins.add(self._kube, self._environment, found)
        return found

    def _settle(self) -> debts.Settlement | None:
        """Of a change that stays open the state is settled when the whole of it has gone back."""
        if self._wanted.stays_open:
            return None
        return debts.begin(self._order.root, self._environment, self._wanted.kept, self._kube, niceness=SETTLING)

    def _end(self) -> None:
        """What is left to put right behind the traffic; then everything must be up."""
        left = [one for one in self._wanted.actions if one.key not in self._done]
        for wave in plan.waves(left):
            self._do_all(wave)
        turned = {self._place(turn) for turn in self._wanted.moving if turn.service in self._turned}
        touched = {one.key for one in left if one.verb in ("create", "apply")}
        self._wait(sorted(place for place in turned | touched if place[0] in wait.SERVING))
        if self._unready:
            raise self._not_up(self._unready)

    def _do_all(self, actions: Iterable[Action]) -> None:
        live.at_once(self._do, actions)

    def _do(self, action: Action) -> None:
        self._held.check()
        if action.verb == "apply" and contents.workload(action.manifest) in self._wanted.turns:
            action = self._newest(action)
        done = restoring.do(self._kube, action, force=self._order.force)
        self._done.add(action.key)
        if done is not None:
            self._generations[action.key] = done["metadata"].get("generation", 0)

    def _newest(self, action: Action) -> Action:
        """Its counts, or where it leads, may have moved since it was planned."""
        kind, namespace, name = action.key
        found = self._kube.get(action.manifest["apiVersion"], kind, name, namespace)
        return replace(action, live=found, manifest=leading.as_led(found, turns.with_counts_of(found, action.manifest)))

    def _wait(self, places: list[Key]) -> None:
        """Whoever does not come up is remembered: the others go back all the same."""
        if not places:
            return
        with self._progress.step("waiting until every workload is rolled out") as step:
            limit, check = self._order.timeout, self._held.check
            found = wait.rolled_out(self._kube, places, self._generations, timeout=limit, step=step, check=check)
        for place, one in found.items():
            self._unready.pop(place, None)
            if not one.ready:
                self._unready[place] = one

    def _finish(
        self, release: Release, debt: Debt | None, settlement: debts.Settlement | None, pinned: tuple[Pin, ...]
    ) -> Done:
        wanted = self._wanted
        with ThreadPoolExecutor(1) as pool:
            closing = pool.submit(self._close, release, "done", ended=True)
            owed = settlement.finish() if settlement else _unsettled(wanted)
        closing.result()
        if debt and not owed:
            debts.clear(self._kube, self._environment, debt)
        seconds, alone = time.monotonic() - self._began, wanted.only if wanted.stays_open else ()
        return Done(release, len(wanted.actions), seconds, owed, pinned, self._traffic, wanted.crossed, alone)

    def _close(self, release: Release, outcome: str, *, ended: bool) -> None:
        if not self._held.lost:
            self._write(lambda book: noting.closed(book, self._wanted, release, outcome))
        if ended:
            self._close_rollout()
        entry = replace(self._entry, outcome=outcome, release=str(release.number))
        audit.write(self._kube, self._environment, entry)

    def _write(self, edit: Callable[[Book], Book]) -> Book:
        return releases.change(self._kube, self._environment, edit, check=self._held.check)

    def _close_rollout(self) -> None:
        if self._wanted.rollout is None:
            return
        status: opened.Status = "failed" if self._order.failed else "aborted"
        opened.change(
            self._kube,
            self._environment,
            self._wanted.rollout.id,
            lambda found: self._taken_back(found).ended(status, self._order.reason),
            check=self._held.check,
        )

    def _taken_back(self, found: Rollout) -> Rollout:
        for step in self._wanted.crossed:
            found = found.said(goal.lasts(step))
        return found.said(f"{self._order.command}: {self._order.reason or 'taken back'}")

    def _place(self, turn: Turn) -> Key:
        return "Deployment", self._environment, turn.name

    @property
    def _stuck(self) -> set[str]:
        """Services whose track does not come up: their traffic stays where it is."""
        return {turn.service for turn in self._wanted.moving} - self._turned

    def _not_up(self, found: wait.Healths) -> RollbackFailed:
        lines = [line for (_, _, name), one in found.items() for line in (f"{name}:", *one.lines())]
        lines += serving_now(self._kube, self._environment)
        return RollbackFailed(
            f"{self._environment} was put back to release {self._wanted.target.number}, but it does not come up",
            why="\n".join(lines),
            next=f"turnout status {self._environment}; another release: turnout rollback {self._environment} --to N",
        )

    def _stopped(self, error: KubeError) -> RollbackFailed:
        number = self._wanted.target.number
        cross = " --cross" if self._wanted.crossed else ""
        return RollbackFailed(
            f"the rollback of {self._environment} to release {number} stopped half-way: {error.what}",
            why="\n".join([error.why, *serving_now(self._kube, self._environment)]),
            next=f"turnout rollback {self._environment} --to {number}{cross}",
        )


def serving_now(kube: Kube, environment: str) -> list[str]:
    """What serves, as lines that end the report of a rollback that failed."""
    from cli.rollout import screen, status

    try:
        found = status.read(kube, environment, component=APP)
    except TurnoutError:
        return ["what serves now cannot be read"]
    return ["what serves now:", *(f"  {screen.serves(one)}" for one in found.workloads)]


def _unsettled(wanted: Rollback) -> str:
    return "the change is still open" if wanted.stays_open else "no checkout here is of this cluster"
