"""Shows an engine run under way: how far it is, and for each resource that takes long, what it waits for."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from types import TracebackType

from cli.engine.events import UNCHANGED, Done, Event, Failed, Message, Started, Step, operation
from cli.progress import Progress
from cli.progress import Step as Shown

_EVERY = 2.0
"""Seconds between two reports of the count, so that a log does not fill with them."""


class Watch:
    """One run on a progress display, as a context. Thread-safe."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._whole = progress.step(title)
        self._open: dict[str, tuple[AbstractContextManager[Shown], Shown]] = {}
        self._guard = threading.Lock()
        self._checked = self._changed = 0
        self._reported = time.monotonic()
        self._shown: Shown | None = None

    def __enter__(self) -> Watch:
        self._shown = self._whole.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            for context, _ in self._open.values():
                context.__exit__(None, None, None)
            self._open.clear()
        self._whole.__exit__(kind, error, trace)

    def take(self, event: Event) -> None:
        """Show one more event."""
        with self._guard:
            match event:
                case Message(passing=True) if event.urn:
                    self._waits(event.urn, event.text)
                case Started(step):
                    self._checked += 1
                    self._count()
                case Done(step):
                    self._changed += operation(step) not in UNCHANGED
                    self._ends(step)
                    self._count()
                case Failed(step):
                    self._ends(step, failed=True)

    def _waits(self, urn: str, text: str) -> None:
        if urn not in self._open:
            context = self._progress.step(_title(urn))
            self._open[urn] = (context, context.__enter__())
        self._open[urn][1].update(text)

    def _ends(self, step: Step, *, failed: bool = False) -> None:
        context, _ = self._open.pop(step.urn, (None, None))
        if context is None:
            return
        if failed:
            _close_as_failed(context)
        else:
            context.__exit__(None, None, None)

    def _count(self) -> None:
        now = time.monotonic()
        if self._shown is None or now - self._reported < _EVERY:
            return
        self._reported = now
        self._shown.update(f"{self._checked} looked at, {self._changed} changed")


def _title(urn: str) -> str:
    """`api (Deployment)` from a URN."""
    kinds, _, name = urn.split("::", 2)[-1].partition("::")
    return f"{name} ({kinds.rsplit(':', 1)[-1]})"


class _ResourceFailed(Exception):
    """Ends a step of the display as failed; it goes no further."""


def _close_as_failed(context: AbstractContextManager[Shown]) -> None:
    error = _ResourceFailed()
    try:
        context.__exit__(_ResourceFailed, error, None)
    except _ResourceFailed:
        return
