"""The locks that engine processes keep in a file backend, and clearing those whose process is gone.

Only to be cleared under the environment's own lock: that one tells machines apart, this one only processes.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from cli.engine import environ


@dataclass(frozen=True)
class Lock:
    """One lock file: which process holds it, and where."""

    file: Path
    pid: int
    host: str

    @property
    def dead(self) -> bool:
        """Whether its process ran on this machine and has certainly ended."""
        return self.host == socket.gethostname() and not alive(self.pid)


def found(root: Path, environment: str, variables: dict[str, str]) -> list[Lock]:
    """The locks on an environment's state; none for a backend that is not a folder."""
    project = environ.project_name(root)
    stack = environ.stack_file(root, variables, project, environment)
    if stack is None:
        return []
    folder = stack.parents[2] / "locks" / "organization" / project / environment
    return [lock for file in sorted(folder.glob("*.json")) if (lock := _read(file))]


def clear_dead(root: Path, environment: str, variables: dict[str, str]) -> list[Lock]:
    """Remove the locks of processes that are gone; returns them."""
    dead = [lock for lock in found(root, environment, variables) if lock.dead]
    for lock in dead:
        lock.file.unlink(missing_ok=True)
        lock.file.with_name(f"{lock.file.name}.attrs").unlink(missing_ok=True)
    return dead


def alive(pid: int) -> bool:
    """Whether a process of that number exists on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read(file: Path) -> Lock | None:
    try:
        held = json.loads(file.read_text())
        return Lock(file, int(held["pid"]), str(held["hostname"]))
    except (OSError, ValueError, KeyError):
        return None
