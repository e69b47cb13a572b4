"""Stops the engine as soon as the environment's lock is no longer ours: two must not change it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cli.errors import TurnoutError
from cli.rollout.watcher import interrupt_engine

if TYPE_CHECKING:
    from cli.rollout.lock import Held

_LOOK = 1.0


@contextmanager
def looked_after(held: Held, every: float) -> Iterator[None]:
    """A context in which a lock that somebody takes is lost so many seconds later, and not at the next heartbeat."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(every) and not held.lost:
            with suppress(TurnoutError):
                held.look()

    thread = threading.Thread(target=look, name="lock guard", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(every)


@contextmanager
def stopped_when_lost(held: Held, stop: Callable[[], None] = interrupt_engine) -> Iterator[None]:
    """A context around the engine's run. Raises Locked (exit 5) in place of however the run ended."""
    ended, guard = threading.Event(), threading.Lock()

    def watch() -> None:
        while not held.lost:
            if ended.wait(_LOOK):
                return
        with guard:
            if not ended.is_set():
                stop()

    threading.Thread(target=watch, name="lock guard", daemon=True).start()
    try:
        with looked_after(held, _LOOK):
            yield
    except (TurnoutError, KeyboardInterrupt) as error:
        _say_who_has_it(held, error)
        raise
    finally:
        with guard:
            ended.set()
    held.check()


def _say_who_has_it(held: Held, error: BaseException) -> None:
    try:
        held.check()
    except TurnoutError as lost:
        raise lost from error
