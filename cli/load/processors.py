"""Stalls of this machine's processors: a virtual machine's host gives them to others, and what runs there stands still.

A process pinned to each processor looks at the clock, ahead of all others. Who measures beside it can tell how long an
answer was late for want of a processor.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import time
from typing import Any, Final

LOOK: Final = 0.02
"""Seconds between two looks."""
FINE: Final = 0.05
"""Seconds that a look may be late."""
_BEAT, _MISSED, _EACH = 0, 1, 2


class Processors:
    """Watched for the length of the block; where that cannot be done, none of them stalls.

    `pids`: of the processes that watch, one for each processor.
    """

    def __init__(self) -> None:
        self.pids: tuple[int, ...] = ()
        self._seen = memoryview(b"").cast("d")

    def __enter__(self) -> Processors:
        chosen = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if chosen:
            self._seen = memoryview(mmap.mmap(-1, 8 * _EACH * len(chosen))).cast("d")
        parent = os.getpid()
        for number, processor in enumerate(chosen):
            self._seen[_EACH * number + _BEAT] = time.monotonic()
            child = os.fork()
            if not child:
                _watch(parent, processor, self._seen[_EACH * number : _EACH * (number + 1)])
            self.pids += (child,)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.pids:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self.pids = ()

    def stalled(self) -> float:
        """Seconds that they stood still since the block began, added up; a stall under way counts so far."""
        now = time.monotonic()
        rows = (self._seen[at : at + _EACH] for at in range(0, len(self._seen), _EACH))
        return sum(row[_MISSED] + _missed(now - row[_BEAT]) for row in rows)


def _missed(seconds: float) -> float:
    late = seconds - LOOK
    return late if late > FINE else 0.0


def _watch(parent: int, processor: int, row: Any) -> None:
    """Until the parent is gone; signals of the terminal are for the parent."""
    try:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {processor})
        while os.getppid() == parent:
            time.sleep(LOOK)
            now = time.monotonic()
            row[_MISSED] += _missed(now - row[_BEAT])
            row[_BEAT] = now
    finally:
        os._exit(0)
