"""Watches an environment until its rollout ends: a live screen on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from cli.errors import RollbackFailed, RolledBack, TurnoutError
from cli.kube.errors import Unreachable
from cli.progress import Live, Progress
from cli.rollout import changes, panel, survey
from cli.rollout.curves import Curve, Source
from cli.rollout.screen import Line
from cli.rollout.standing import Standing
from components.names import APP

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from cli.kube.client import Kube

STEPS = 4
"""Lines that the steps of a live progress need."""
LOOK = 1.0
MEASURE = 5.0
ORPHANED = 30.0
"""Seconds for which nobody may drive a running rollout before watching it makes no sense."""


@dataclass(frozen=True)
class Seen:
    """What was seen last. `measures`: why there are no curves, or empty."""

    standing: Standing
    curves: tuple[Curve, ...] = ()
    measures: str = ""


class Eyes:
    """Reads the standing when asked, and the curves in a thread of their own: Prometheus may be slow or down."""

    def __init__(self, kube: Kube, environment: str) -> None:
        self._kube, self._environment = kube, environment
        self._curves: tuple[Curve, ...] = ()
        self._without = ""
        self._services: tuple[str, ...] = ()
        self._closed = threading.Event()
        self._freezes = survey.freezes(environment)

    def look(self) -> Seen:
        """As of now. Raises KubeError."""
        standing = survey.read(self._kube, self._environment, component=APP, freezes=self._freezes)
        self._services = _measured(standing)
        return Seen(standing, self._curves, self._without)

    @contextmanager
    def measuring(self) -> Iterator[Eyes]:
        threading.Thread(target=self._measure, daemon=True).start()
        try:
            yield self
        finally:
            self._closed.set()

    def _measure(self) -> None:
        from cli.gates.prometheus import Prometheus

        source = Prometheus(self._kube, self._environment)
        while not self._closed.is_set():
            try:
                self._curves, self._without = self._read(source), ""
            except TurnoutError as error:
                self._curves, self._without = (), error.why or error.what
            except Exception as error:  # the client was closed under us
                self._without = type(error).__name__
            self._closed.wait(MEASURE if self._services else LOOK)

    def _read(self, source: Source) -> tuple[Curve, ...]:
        from cli.rollout import curves

        return curves.read(source, self._environment, self._services, time.time())


def watch(kube: Kube, environment: str, console: Console, out: TextIO) -> Standing:
    """Until the rollout ends, or at once where none is open. Returns the last standing."""
    eyes = Eyes(kube, environment)
    if not console.is_terminal:
        return _lines(eyes, out)
    with eyes.measuring():
        return _screen(eyes, console)


@contextmanager
def live(kube: Kube, environment: str, progress: Progress) -> Iterator[None]:
    """For the length of the block the screen stands above the steps of a live progress; else this does nothing."""
    if not isinstance(progress, Live):
        yield
        return
    picture = _Picture(Eyes(kube, environment), progress.console)
    with picture.painting(), progress.showing(picture.now):
        yield


class _Picture:
    """The newest screen, painted in a thread of its own."""

    def __init__(self, eyes: Eyes, console: Console) -> None:
        self._eyes, self._console = eyes, console
        self._closed = threading.Event()
        self._newest: RenderableType = ""

    def now(self) -> RenderableType:
        return self._newest

    @contextmanager
    def painting(self) -> Iterator[None]:
        threading.Thread(target=self._paint, daemon=True).start()
        with self._eyes.measuring():
            try:
                yield
            finally:
                self._closed.set()

    def _paint(self) -> None:
        while not self._closed.is_set():
            with suppress(Exception):  # the client may be closed under us; a picture must not end a rollout
                self._newest = rendered(self._eyes.look(), self._console, STEPS)
            self._closed.wait(LOOK)


def verdict(found: Standing) -> TurnoutError | None:
    """How the rollout ended, as the error that its driver ended with; None when it went well or none ever was."""
    rollout, environment = found.rollout, found.environment
    if rollout is None or rollout.status == "done":
        return None
    why, next = rollout.cause, found.next
    if rollout.open and rollout.status == "failed":
        return RollbackFailed(f"the rollout of {environment} failed, and its rollback too", why=why, next=next)
    if rollout.open:
        return TurnoutError(f"nobody drives the rollout of {environment} any more", next=next)
    how = "was aborted" if rollout.status == "aborted" else "failed and was rolled back"
    return RolledBack(f"the rollout of {environment} {how}", why=why, next=next)


def _screen(eyes: Eyes, console: Console) -> Standing:
    from rich.live import Live as Region

    with Region(console=console, auto_refresh=False, transient=True) as region:
        last = _until_the_end(eyes, lambda seen: region.update(rendered(seen, console), refresh=True))
    console.print(rendered(Seen(last), console))
    return last


def _lines(eyes: Eyes, out: TextIO) -> Standing:
    before: list[Standing] = []

    def tell(seen: Seen) -> None:
        for line in changes.told(before[-1] if before else None, seen.standing):
            out.write(f"{line}\n")
        out.flush()
        before[:] = [seen.standing]

    return _until_the_end(eyes, tell)


def _until_the_end(eyes: Eyes, show: Callable[[Seen], None]) -> Standing:
    """A cluster that does not answer for a moment is asked again."""
    alone = _Alone()
    while True:
        seen = _patient(eyes)
        show(seen)
        if not seen.standing.under_way or alone.too_long(seen.standing):
            return seen.standing
        time.sleep(LOOK)


def _patient(eyes: Eyes) -> Seen:
    try:
        return eyes.look()
    except Unreachable:
        time.sleep(MEASURE)
        return eyes.look()


class _Alone:
    """For how long an open rollout has been without a driver."""

    def __init__(self) -> None:
        self._since: float | None = None

    def too_long(self, found: Standing) -> bool:
        if found.driven:
            self._since = None
            return False
        self._since = self._since or time.monotonic()
        return time.monotonic() - self._since > ORPHANED


def rendered(seen: Seen, console: Console, below: int = 1) -> RenderableType:
    """The screen and its curves for that terminal; `below` lines of it stay free."""
    now = datetime.now(UTC)
    drawn = list(panel.curves(seen.curves, seen.measures))
    room = max(console.height - len(drawn) - below, panel.HEIGHT // 2)
    return text([*panel.lines(seen.standing, now, height=room, width=min(console.width, panel.WIDTH)), *drawn])


def text(lines: list[Line]) -> RenderableType:
    from rich.text import Text

    return Text("\n", no_wrap=True).join(Text(line, style=colour) for line, colour in lines)


def _measured(found: Standing) -> tuple[str, ...]:
    """Whose curves are worth their lines: what the present step moves, else what has two tracks with pods."""
    step = found.rollout.step if found.rollout and found.rollout.open else None
    wanted = set(step.services) if step else set()
    moving = [one.name for one in found.services if one.name in wanted or (not wanted and one.moves)]
    return tuple(moving[: panel.MEASURED])
