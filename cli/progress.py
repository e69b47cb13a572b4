"""Progress of work over a second: a live display on a terminal, plain lines elsewhere, nothing under --json.

A display that can no longer be written shows nothing any more: it must not end the work, nor replace what ended it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from cli.streams import lasting

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Step(Protocol):
    """One piece of work under way."""

    def update(self, detail: str) -> None:
        """Say what is being waited for, and why it is not ready. Same detail twice is shown once."""


class Progress(Protocol):
    """Shows steps; several may be under way at once. Thread-safe."""

    def step(self, title: str, *, usually: float | None = None) -> AbstractContextManager[Step]:
        """Open a step; `usually` is how many seconds it took last time."""

    def note(self, text: str) -> None:
        """A line that stays."""


class Silent:
    """Shows nothing (`--json`, tests)."""

    @contextmanager
    def step(self, title: str, *, usually: float | None = None) -> Iterator[Step]:  # noqa: ARG002
        yield _Quiet()

    def note(self, text: str) -> None:
        """Nothing to show it on."""


class Lines:
    """Plain lines with the seconds since the start, for logs and CI."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = lasting(out or sys.stderr)
        self._start = time.monotonic()
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str, *, usually: float | None = None) -> Iterator[Step]:
        began = time.monotonic()
        self.note(f"{title} …{_about(usually)}")
        try:
            yield _Line(self, title)
        except BaseException:
            self.note(f"{title}: failed after {time.monotonic() - began:.1f} s")
            raise
        self.note(f"{title}: done in {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        with self._lock:
            self._out.write(f"[{time.monotonic() - self._start:6.1f} s] {text}\n")
            self._out.flush()


class Live:
    """A spinner for each open step, with its detail and clock; finished ones stay as a line."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live as Region
        from rich.progress import Progress as Bars
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        self.console = console or Console(stderr=True)
        # of a broken pipe rich makes the end of the process
        self.console.file = lasting(cast("TextIO", self.console.file))
        texts = TextColumn("{task.description}"), TimeElapsedColumn(), TextColumn("{task.fields[detail]}", markup=False)
        self._bars = Bars(SpinnerColumn(), *texts, console=self.console)
        self._above: Callable[[], RenderableType] | None = None
        self._region = Region(console=self.console, transient=True, refresh_per_second=10, get_renderable=self._picture)
        self._open = 0
        self._lock = threading.Lock()

    @contextmanager
    def showing(self, above: Callable[[], RenderableType]) -> Iterator[None]:
        """For the length of the block that picture stands above the steps; it is asked for ten times a second."""
        self._above = above
        self._opened(+1)
        try:
            yield
        finally:
            self._opened(-1)
            self._above = None

    @contextmanager
    def step(self, title: str, *, usually: float | None = None) -> Iterator[Step]:
        began = time.monotonic()
        self._opened(+1)
        task = self._bars.add_task(title, total=None, detail=_about(usually))
        mark = "✗"
        try:
            yield _Spinner(lambda detail: self._bars.update(task, detail=detail))
            mark = "✓"
        finally:
            self._bars.remove_task(task)
            self._opened(-1)
            self.note(f"{mark} {title} ({time.monotonic() - began:.1f} s)")

    def note(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    def _picture(self) -> RenderableType:
        from rich.console import Group

        above, steps = self._above, self._bars.get_renderable()
        return Group(above(), steps) if above else steps

    def _opened(self, by: int) -> None:
        with self._lock:
            self._open += by
            if self._open == 1 and by > 0:
                self._region.start()
            elif self._open == 0:
                self._region.stop()


class _Quiet:
    def update(self, detail: str) -> None:
        """Nothing to show it on."""


class _Line:
    def __init__(self, lines: Lines, title: str) -> None:
        self._lines, self._title, self._last = lines, title, ""

    def update(self, detail: str) -> None:
        if detail != self._last:
            self._last = detail
            self._lines.note(f"{self._title}: {detail}")


class _Spinner:
    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show

    def update(self, detail: str) -> None:
        self._show(detail)


def for_terminal(*, quiet: bool = False) -> Progress:
    """The display that fits: none when quiet, live on a terminal, else plain lines (all on stderr)."""
    if quiet:
        return Silent()
    return Live() if sys.stderr.isatty() else Lines()


def _about(usually: float | None) -> str:
    return f" (about {usually:.0f} s last time)" if usually else ""
