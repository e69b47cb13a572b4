"""Carries out one step of a rollout. Each may be done again: it names a state, and is done when that is reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from cli.errors import Interrupted, Locked, TurnoutError
from cli.kube.errors import KubeError, Unreachable
from cli.rollout import approvals, course, gating, moves, routes, targets, wait, warmth, wording
from cli.rollout.attention import Failed
from cli.rollout.control import Manifest
from cli.rollout.cursor import Cursor
from cli.rollout.step import Does, Step, Target
from components.names import RELEASE
from components.tracks import Letter

if TYPE_CHECKING:
    from cli.engine.model import Outcome
    from cli.rollout.attention import Attention
    from cli.rollout.opened import Rollout
    from cli.rollout.plan import Key
    from cli.rollout.site import Site
    from cli.rollout.watcher import Watcher

PREVIEW: Final = 15.0
"""Seconds in which a new track's own entry must answer: pods are ready, only their endpoints may be on their way."""
_AGAIN: Final = 0.5
_PORT: Final = "http"


class Doing:
    """`recorded` is called with the name of the release record and the number of changes, once all is applied."""

    def __init__(
        self,
        site: Site,
        rollout: Rollout,
        attention: Attention,
        watcher: Watcher,
        recorded: Callable[[str | None], None],
    ) -> None:
        self._site, self._rollout, self._attention, self._watcher = site, rollout, attention, watcher
        self._recorded = recorded
        self._targets = {target.service: target for target in rollout.to}
        self.changes = 0
        self._by: Mapping[Does, Callable[[Step], None]] = {
            "cool": self._cool,
            "describe": self._describe,
            "bring": self._bring,
            "scale": self._scale,
            "ready": self._ready,
            "try": self._try,
            "approve": self._approve,
            "route": self._route,
            "watch": self._watch,
            "record": self._record,
            "serve": self._serve,
            "warm": self._warm,
        }

    def do(self, step: Step) -> None:
        """Raises Failed, Locked when the environment is no longer ours, and Unreachable, after which it can go on."""
        try:
            self._by[step.does](step)
        except (Locked, Interrupted):
            raise
        except Unreachable as error:
            error.next = f"turnout rollout resume {self._site.environment}"
            raise
        except TurnoutError as error:
            raise Failed(error.what, (error.why,)) from error

    def _cool(self, step: Step) -> None:
        """An idle track ends, and its pods are gone, before anybody can be sent to it."""
        there = self._deployments(step)
        idle = [target for target in self._of(step) if _object(target, target.new) in there]
        self._site.each(lambda target: self._scale_one(target, target.new, 0), idle)
        names = [_object(target, target.new) for target in idle]
        if not self._attention.wait(self._patience, lambda: not self._with_pods(names)):
            raise Failed(f"{', '.join(names)} still has pods after {self._patience:.0f} s")

    def _describe(self, step: Step) -> None:
        def edit(now: Cursor) -> Cursor:
            for target in self._of(step):
                if target.keyed:
                    now = now.describing(target.service, target.new, target.template)
                else:
                    now = now.locking(target.service, target.template)
            return now

        self._site.point(edit)

    def _bring(self, step: Step) -> None:
        self._site.show_engine(targets.held(self._site.settings.app, step), step.services)
        self._up()

    def _scale(self, step: Step) -> None:
        wanted = [(target, letter, n) for target in self._of(step) for letter, n in step.copies[target.service].items()]
        beside = self._old_copies() if any(target.bounds for target, _, _ in wanted) else {}

        def one(row: tuple[Target, Letter, int]) -> None:
            target, letter, count = row
            if target.bounds and letter == target.new:
                count = self._bound(target, count, beside)
            self._scale_one(target, letter, count)

        self._site.each(one, wanted)

    def _bound(self, target: Target, count: int, beside: Mapping[str, int]) -> int:
        """A share stands still while it is measured; at the end the autoscaler is as free as the settings say."""
        least, most = target.bounds
        whole = count >= target.wanted
        if whole:
            count = max(count, min(beside.get(_object(target, target.old), 0), most))
        span = (least, most) if whole else (count, count)
        kube, environment = self._site.kube, self._site.environment
        moves.bounds(kube, environment, target.service, target.new, *span, **self._site.held.guarded)
        return count

    def _ready(self, step: Step) -> None:
        there = self._deployments(step)
        wanted: list[Key] = [("Deployment", self._site.environment, name) for name in there]
        generations = {place: there[place[2]]["metadata"]["generation"] for place in wanted}
        with self._site.progress.step(wording.said(step)) as shown:
            found = wait.rolled_out(
                self._site.kube,
                wanted,
                generations,
                timeout=self._patience,
                step=shown,
                check=self._attention.listen,
            )
        if not wait.is_done(found):
            unready = {name: one for (_, _, name), one in found.items() if not one.ready}
            lines = [line for name, one in unready.items() for line in (f"{name}:", *one.lines())]
            raise Failed(f"never ready: {wait.says(found)}", tuple(lines))

    def _try(self, step: Step) -> None:
        for target in self._of(step):
            self._ask(target)

    def _ask(self, target: Target) -> None:
        """The new track by its own entry, through the API server, as its first request."""
        until = time.monotonic() + PREVIEW
        while True:
            try:
                self._site.kube.proxy(self._site.environment, _object(target, target.new), _PORT, target.preview)
                return
            except KubeError as error:
                if time.monotonic() > until:
                    asked = f"GET {target.preview} of {_object(target, target.new)}"
                    raise Failed(f"{asked}: {error.message}", (f"asked for {PREVIEW:.0f} s",)) from error
            self._attention.wait(_AGAIN)

    def _approve(self, _: Step) -> None:
        site, rollout = self._site, self._rollout
        self._attention.hold(
            "waiting",
            f"an approval by somebody other than {rollout.starter}: turnout approve {site.environment}",
            lambda: approvals.granted(site.kube, site.environment, rollout.id, rollout.starter) is not None,
        )

    def _route(self, step: Step) -> None:
        chosen = self._of(step)
        weighted = [target for target in chosen if target.service in step.weights]
        if weighted:
            self._weigh(step, weighted)
        turned = [target for target in chosen if target not in weighted or step.share == 100]
        self._site.each(lambda target: self._select(target, target.new if step.share == 100 else "both"), turned)
        if rounded := course.rounding(step, self._targets):
            self._say(rounded)

    def _weigh(self, step: Step, weighted: list[Target]) -> None:
        """A gateway knows a track's pods before it sends it anything, and has let go of it before they end."""
        kube, environment = self._site.kube, self._site.environment
        check = self._attention.listen
        ready = targets.with_ready(targets.deployments(kube, environment))
        routes.until_backed(kube, environment, routes.backends(weighted, step.weights, ready), check=check)
        self._site.each(
            lambda target: moves.weigh(
                kube, environment, target.service, step.weights[target.service], **self._site.held.guarded
            ),
            weighted,
        )
        routes.until_taken(kube, environment, [target.service for target in weighted], check=check)

    def _watch(self, step: Step) -> None:
        gating.watch(self._site, self._rollout, step, self._attention)

    def _record(self, _: Step) -> None:
        self._site.show_engine()
        self._recorded(self._up().outputs.get(RELEASE))

    def _serve(self, step: Step) -> None:
        def edit(now: Cursor) -> Cursor:
            for target in self._of(step):
                if target.keyed:
                    now = now.serving(target.service, target.new).allowing(target.service)
                else:
                    now = now.locking(target.service)
            return now

        self._site.point(edit)

    def _warm(self, step: Step) -> None:
        warmth.keep(self._site, self._of(step))

    def _up(self) -> Outcome:
        """The engine, under the eyes of whoever sees pods fail. Raises Failed."""
        try:
            with self._watcher.engine_runs():
                outcome = self._site.engine.up(message=self._rollout.reason)
        except TurnoutError as error:
            self._attention.check()
            raise Failed(error.what, (error.why,), error=error) from error
        except KeyboardInterrupt:
            self._attention.check()
            raise
        self._attention.check()
        if outcome.interrupted:
            raise Interrupted(f"the rollout of {self._site.environment} was interrupted")
        if not outcome.ok:
            raise Failed(outcome.reason, outcome.reasons)
        self.changes += len(outcome.changes)
        return outcome

    def _of(self, step: Step) -> list[Target]:
        return [self._targets[name] for name in step.services]

    def _select(self, target: Target, track: moves.Chosen) -> None:
        moves.select(self._site.kube, self._site.environment, target.service, track, **self._site.held.guarded)

    def _scale_one(self, target: Target, letter: Letter, count: int) -> None:
        kube, environment = self._site.kube, self._site.environment
        moves.scale(kube, environment, target.service, letter, count, **self._site.held.guarded)

    def _deployments(self, step: Step) -> dict[str, Manifest]:
        """The new tracks' Deployments, by name."""
        names = {_object(target, target.new) for target in self._of(step)}
        return targets.named(targets.deployments(self._site.kube, self._site.environment), names)

    def _with_pods(self, names: Iterable[str]) -> list[str]:
        found = targets.named(targets.deployments(self._site.kube, self._site.environment), set(names))
        return [name for name, row in found.items() if (row.get("status") or {}).get("replicas")]

    def _old_copies(self) -> dict[str, int]:
        return targets.copies(self._site.kube, self._site.environment)

    def _say(self, text: str) -> None:
        self._site.change(self._rollout.id, lambda now: now.said(text))

    @property
    def _patience(self) -> float:
        return self._attention.left


def _object(target: Target, letter: Letter) -> str:
    """The name of a track's Deployment, and of its own Service."""
    return f"{target.service}-{letter}"
