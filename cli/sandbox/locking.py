"""One command at a time does a thing; the kernel lets go of the lock when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from cli import paths
from cli.progress import Progress, Step


@contextmanager
def locked(name: str, progress: Progress) -> Iterator[None]:
    """Wait for and hold the lock of a sandbox. Its file is removed with it, so that nothing stays behind."""
    path = paths.state_dir() / "sandboxes" / f".{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            _wait(file, name, progress)
            if not _same(file, str(path)):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


@contextmanager
def only_one(name: str, step: Step) -> Iterator[None]:
    """Holds the machine-wide lock of `name`; the kernel lets go of it when the process ends, however it ends."""
    path = paths.cache_dir() / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step.update("another process is at it already")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wait(file: TextIO, name: str, progress: Progress) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with progress.step(f"waiting for another command to finish with sandbox {name}"):
            fcntl.flock(file, fcntl.LOCK_EX)


def _same(file: TextIO, path: str) -> bool:
    """Whether the file that was locked is still the one at its path: its last holder may have removed it."""
    try:
        return os.fstat(file.fileno()).st_ino == os.stat(path).st_ino  # noqa: PTH116
    except FileNotFoundError:
        return False
