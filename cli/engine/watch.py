"""Shows an engine run under way: how far it is, and for each resource that takes long, what it waits for."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cli import protocol
from cli.engine.events import UNCHANGED, Done, Event, Failed, Message, Started, operation
from cli.progress import Progress
from cli.progress import Step as Shown

_EVERY = 2.0
"""Seconds between two reports of the count, so that a log does not fill with them."""

_LONG = 1.0
"""A resource gets a line of its own when it takes longer than this."""


@dataclass
class _Work:
    """One resource under way."""

    began: float
    status: str = ""
    context: AbstractContextManager[Shown] | None = None
    shown: Shown | None = None


class Watch:
    """One run on a progress display, as a context. Thread-safe."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._whole = progress.step(title)
        self._work: dict[str, _Work] = {}
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._looked_at = self._changed = 0
        self._reported = time.monotonic()
        self._shown: Shown | None = None

    def __enter__(self) -> Watch:
        self._shown = self._whole.__enter__()
        threading.Thread(target=self._look_after_long_ones, name="watch", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._ended.set()
        with self._guard:
            for urn in list(self._work):
                self._close(urn)
        self._whole.__exit__(kind, error, None)

    def take(self, event: Event) -> None:
        """Show one more event."""
        with self._guard:
            match event:
                case Message(passing=True, text=text) if text and event.urn in self._work:
                    self._status(event.urn, text)
                case Started(step) if operation(step) not in UNCHANGED and step.type != protocol.STACK:
                    self._work.setdefault(step.urn, _Work(time.monotonic()))
                case Done(step):
                    self._looked_at += 1
                    self._changed += operation(step) not in UNCHANGED
                    self._close(step.urn)
                    self._count()
                case Failed(step):
                    self._close(step.urn, failed=True)

    def _look_after_long_ones(self) -> None:
        while not self._ended.wait(_LONG / 2):
            with self._guard:
                for urn in list(self._work):
                    self._status(urn, self._work[urn].status)

    def _status(self, urn: str, text: str) -> None:
        work = self._work[urn]
        work.status = text
        if work.context is None and time.monotonic() - work.began >= _LONG and not self._ended.is_set():
            work.context = self._progress.step(_title(urn))
            work.shown = work.context.__enter__()
        if work.shown is not None and text:
            work.shown.update(text)

    def _close(self, urn: str, *, failed: bool = False) -> None:
        work = self._work.pop(urn, None)
        if work is None or work.context is None:
            return
        if failed:
            _close_as_failed(work.context)
        else:
            work.context.__exit__(None, None, None)

    def _count(self) -> None:
        now = time.monotonic()
        if self._shown is None or now - self._reported < _EVERY:
            return
        self._reported = now
        self._shown.update(f"{self._looked_at} done, {self._changed} of them changed")


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
