"""Runs a Pulumi program's coroutine to its end on an event loop of its own, and leaves nothing of it behind."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from cli.garbage import seldom_collected


class Evaluation:
    """One run of a program. `end` may come from any thread, at any time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self, work: Coroutine[Any, Any, None], threads: int | None = None) -> None:
        """Run `work`; whatever it raises goes on. `threads` is how many calls to the engine may wait at once."""
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        if threads:
            loop.set_default_executor(ThreadPoolExecutor(max_workers=threads))
        try:
            with suppress(asyncio.CancelledError), seldom_collected():
                loop.run_until_complete(self._begin(loop, work))
        finally:
            with self._guard:
                self._loop = None
            _cancel_rest(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def end(self) -> None:
        """The engine is gone: the SDK takes that for its shutdown and would wait for ever."""
        with self._guard:
            self._ended = True
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    def _begin(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = loop.create_task(work)
        with self._guard:
            self._loop, self._task = loop, task
            if self._ended:
                task.cancel()
        return task


def to_end(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` where nobody ends it before."""
    Evaluation().run(work)


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
