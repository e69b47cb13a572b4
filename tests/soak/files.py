"""Tells of each change in some folders, as inotify(7) reports it."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

_CHANGES = 0x2 | 0x8 | 0x80 | 0x100 | 0x200
"""IN_MODIFY, IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE, IN_DELETE."""
_LARGEST_READ = 4096
_EVENT_HEAD = 16


class Watcher:
    """Calls `tell` in a thread of its own, as a context."""

    def __init__(self, folders: Sequence[Path], tell: Callable[[], None]) -> None:
        self._tell = tell
        library = ctypes.CDLL(None, use_errno=True)
        self._inotify = library.inotify_init1(os.O_CLOEXEC)
        self._over, self._end = os.pipe()
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            if library.inotify_add_watch(self._inotify, bytes(folder), _CHANGES) < 0:
                raise OSError(ctypes.get_errno(), f"{folder} cannot be watched")
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._end)
        self._thread.join()
        os.close(self._inotify)
        os.close(self._over)

    def _read(self) -> None:
        import select

        while True:
            ready, _, _ = select.select([self._inotify, self._over], [], [])
            if self._over in ready:
                return
            for _ in range(_events(os.read(self._inotify, _LARGEST_READ))):
                self._tell()


def _events(read: bytes) -> int:
    """How many events there are in what was read: each is a head, which ends with its name's length, and a name."""
    count = position = 0
    while position + _EVENT_HEAD <= len(read):
        length = int.from_bytes(read[position + 12 : position + 16], "little")
        position += _EVENT_HEAD + length
        count += 1
    return count
