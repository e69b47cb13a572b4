"""SIGTERM and SIGHUP end a command as Ctrl-C does: cleanly, with the lock left and exit code 8."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def as_keyboard_interrupt() -> Iterator[None]:
    """For the block they raise KeyboardInterrupt; one that is ignored (`nohup`) or handled already stays so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def leave_with(code: int) -> None:
    """From here on a signal that asks for an end has it at once, with that exit code."""
    for number in (signal.SIGINT, *ENDING):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(code))


class Asked:
    """Whether somebody asked for an end."""

    def __init__(self) -> None:
        self.now = False


@contextmanager
def between_steps() -> Iterator[Asked]:
    """For the block the first Ctrl-C (SIGTERM, SIGHUP) is only noted, for the block to end at its next step; the second
    raises KeyboardInterrupt."""
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(number: int, frame: object) -> None:
        if asked.now:
            _interrupt(number, frame)
        asked.now = True

    numbers = [number for number in (signal.SIGINT, *ENDING) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
