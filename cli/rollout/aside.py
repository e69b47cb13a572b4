"""Work beside a command that it neither waits for nor fails with: at its end it gets a moment to finish, no more."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.kube.client import Kube

LIMIT = 3.0
"""Seconds for each answer, and for all such work at the end of a command."""

_under_way: list[threading.Thread] = []


def begin(kube: Kube, work: Callable[[Kube], None], name: str) -> None:
    """Start it, on a connection of its own to the same server. Whatever goes wrong in it is nobody's concern."""

    def run() -> None:
        with suppress(Exception), kube.beside(LIMIT) as own:
            work(own)

    if not _under_way:
        atexit.register(finish)
    thread = threading.Thread(target=run, name=name, daemon=True)
    _under_way.append(thread)
    thread.start()


def finish(seconds: float = LIMIT) -> None:
    """Give what is under way that long, all of it together."""
    until = time.monotonic() + seconds
    while _under_way:
        _under_way.pop().join(max(0.0, until - time.monotonic()))
