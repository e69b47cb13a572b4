"""What a driver listens to all along, whatever it is doing: its lock, people, failing pods, the probe, the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from cli.errors import TurnoutError
from cli.rollout import opened
from cli.rollout.opened import NO_STEP, Rollout, Status

if TYPE_CHECKING:
    from cli.rollout.site import Site

TICK = 0.25
"""Seconds between two looks at what is known in this process."""
ASK = 1.0
"""Seconds between two looks at what others may have written."""


class Failed(Exception):
    """The rollout cannot go on and is taken back. `error`: what the engine or the cluster refused, where it did."""

    def __init__(
        self, cause: str, evidence: tuple[str, ...] = (), *, aborted: bool = False, error: TurnoutError | None = None
    ) -> None:
        super().__init__(cause)
        self.cause, self.evidence, self.aborted, self.error = cause, evidence, aborted, error

    @property
    def text(self) -> str:
        told = [self.cause]
        for line in self.evidence:
            if not any(line.strip() in known for known in told):
                told.append(line)
        return "\n".join(told)


class Detached(Exception):
    """The rollout waits for a person, and nobody wants to wait with it."""


class Sign(Protocol):
    """What sees pods fail (`cli.rollout.watcher.Watcher`)."""

    verdict: str
    evidence: list[str]


class Probing(Protocol):
    """What asks the entry all along (`cli.rollout.probing.Probe`)."""

    @property
    def failed(self) -> object | None: ...

    def finish(self) -> None: ...


class Attention:
    """`until`: the deadline on this process's monotonic clock. `detach`: end instead of waiting for a person.

    `at`: the index of the step under way, as the driver tells.
    """

    def __init__(
        self, site: Site, sign: Sign, probe: Probing | None, *, id: str, until: float, detach: bool = False
    ) -> None:
        self._site, self._sign, self._probe = site, sign, probe
        self._id, self._until, self._detach = id, until, detach
        self._asked_at = 0.0
        self._paused = False
        self._advance = NO_STEP
        self.waits = ""
        self.at = NO_STEP

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._until - time.monotonic())

    def check(self) -> None:
        """Raises Locked when the lock is lost, Failed when the rollout must be taken back."""
        self._look()
        if time.monotonic() > self._until:
            raise Failed("the rollout's deadline is over")

    def see_out(self, seconds: float) -> None:
        """The probe goes on that long, then all that it sent is answered; raises as `check`, but knows no deadline."""
        if self._probe is None:
            return
        until = time.monotonic() + seconds
        with self._site.progress.step("the probe asks on while old pods end"):
            while time.monotonic() < until:
                self._look()
                time.sleep(TICK)
            self._probe.finish()
        self._look()

    def _look(self) -> None:
        held = self._site.held
        held.check()
        if held.abort:
            raise Failed(f"aborted by {held.abort}", aborted=True)
        if self._sign.verdict:
            raise Failed(self._sign.verdict, tuple(self._sign.evidence))
        if self._probe is not None and self._probe.failed is not None:
            raise Failed(f"the probe dropped a request: {self._probe.failed}")

    def listen(self) -> None:
        """`check`, and what people have asked for since."""
        self.check()
        if time.monotonic() - self._asked_at < ASK:
            return
        self._asked_at = time.monotonic()
        found = opened.read(self._site.kube, self._site.environment)
        if found is not None and found.id == self._id and found.asked is not None:
            self._heed(found)

    def wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Whether `done` came true within the time; it is asked each second, everything else four times."""
        until, next_ask = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < until:
            self.listen()
            if now >= next_ask:
                if done():
                    return True
                next_ask = now + ASK
            time.sleep(min(TICK, max(0.0, until - time.monotonic())))
        return False

    def soak(self, seconds: float) -> bool:
        """Wait that long; False as soon as somebody asked to end the watch under way."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.listen()
            if self._advanced():
                return False
            time.sleep(min(TICK, max(0.0, until - time.monotonic())))
        return True

    def rest(self) -> None:
        """Between two steps: as long as somebody wants a pause."""
        self._hear()
        if self._paused:
            self.hold("paused", "somebody to resume it", lambda: not self._paused)

    def hold(self, status: Status, what: str, until: Callable[[], bool], *, done: int = 0) -> None:
        """Wait for a person, and say so to everybody. Raises Detached where nobody wants to wait with it.

        `done`: the steps that whoever goes on later need not do again, beyond what the rollout says by itself.
        """
        if until():
            return
        self.waits = what
        with self._waiting(status, what, done):
            if self._detach:
                raise Detached
            while not self.wait(3600, until):
                pass
        self._advance = NO_STEP

    def pause(self, why: str) -> None:
        """Stop after the step under way until somebody resumes or advances: they let it through, in whatever process.

        What was asked for before anybody could know `why` lets nothing through.
        """
        self._hear()
        self._paused = True
        self.hold("paused", f"somebody to look: {why}", lambda: not self._paused, done=self.at + 1)

    def _hear(self) -> None:
        """Listen now, however short ago that was."""
        self._asked_at = 0.0
        self.listen()

    def _advanced(self) -> bool:
        """Asked for once, heeded once."""
        found = self._advance == self.at
        self._advance = NO_STEP
        return found

    @contextmanager
    def _waiting(self, status: Status, what: str, done: int) -> Iterator[None]:
        def waits(now: Rollout) -> Rollout:
            return replace(now, status=status, waits=what, at=max(now.at, done)).said(f"{status}: {what}")

        self._site.change(self._id, waits)
        self._site.held.phase(f"waits for {what}")
        with self._site.progress.step(f"waiting for {what}"):
            yield
        self._site.change(self._id, lambda now: replace(now, status="running", waits="").said("goes on"))

    def _heed(self, found: Rollout) -> None:
        asked = found.asked
        assert asked is not None
        self._paused = asked.what == "pause"
        self._advance = asked.step
        said = {"pause": "a pause", "resume": "to go on", "advance": "to go on at once"}[asked.what]
        self._site.change(self._id, lambda now: replace(now, asked=None).said(f"{asked.who} asked for {said}"))
