"""Whether the place where the state is kept takes what a run will write, tried before the run changes anything.

A run writes the state, the one before as `.bak`, and at its end a copy into the history and one as a backup; the engine
writes each beside its target and renames it. So room for a few states is needed, and a few inodes.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from cli.engine.failures import StateUnreadable
from cli.errors import TurnoutError

TIMES = 3
"""How many times the state's size the probe is."""

GROWTH = 256 * 1024
"""Bytes that a run may add to the state at least, so that a small or new state is tried for, too."""

INODES = 16
"""Files that a run may make: state, backup and history with a sidecar each, the lock, unfinished ones."""


class NoRoom(StateUnreadable):
    """The place where the state is kept is full, read-only or gone."""


def check(root: Path, environment: str, file: Path) -> None:
    """Raises NoRoom, with nothing changed, when the folder of a state file does not take what a run will write."""
    folder = _existing(file.parent)
    size = TIMES * (_size(file) + GROWTH)
    try:
        _count(folder, size)
        _try(folder, size)
    except OSError as error:
        raise _no_room(root, environment, folder, size, error) from error


def _existing(folder: Path) -> Path:
    """The folder itself, or what of its path is there already."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _count(folder: Path, size: int) -> None:
    """Quick, and without a trace: enough to refuse most full file systems. Some count no inodes."""
    status = os.statvfs(folder)
    if status.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if status.f_bavail * status.f_frsize < size or (status.f_files and status.f_favail < INODES):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _try(folder: Path, size: int) -> None:
    """Takes the room for real, on the disk: quotas and permissions show only then. Leaves nothing behind."""
    probe = folder / f".turnout-probe-{os.getpid()}"
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(bytes(size))
            out.flush()
            os.fsync(descriptor)
    finally:
        with suppress(OSError):
            probe.unlink()


def _no_room(root: Path, environment: str, folder: Path, size: int, error: OSError) -> TurnoutError:
    advice = {
        errno.ENOSPC: f"free {size // 1024 + 1} KiB there (turnout state prune {environment}), then run it again",
        errno.EDQUOT: f"free {size // 1024 + 1} KiB of the quota there, then run it again",
        errno.EROFS: "mount it writable, or keep the state elsewhere: turnout state move",
        errno.EACCES: f"make it yours: it belongs to user {_owner(folder)}",
    }
    shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
    return NoRoom(
        f"the state of {environment} could not be kept: nothing was changed",
        why=f"{shown}: {(error.strerror or str(error)).lower()}",
        next=advice.get(error.errno or 0, f"mend {folder}, then run it again"),
    )


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except (KeyError, OSError):
        return str(folder.stat().st_uid)
