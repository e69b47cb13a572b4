"""The locks that engine processes keep in a file backend: who holds one, and whether that process is gone.

Nothing here takes a lock away by itself. A dead one is only ever offered for removal: a process of another container
that goes by this machine's name cannot be seen from here.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli import proc
from cli.engine import environ

SIDECAR = ".attrs"
"""Ends the name of the file that a file backend keeps beside each of its own."""
_PROC = Path("/proc")

_ROUNDING = 2.0
"""Seconds that a process may seem to have started late: the boot time is known in whole seconds."""

_WRITTEN_WITHIN = 60.0
"""Seconds after which a lock file that is still not whole was left by a process that ended while it wrote."""


@dataclass(frozen=True)
class Lock:
    """One lock file. `taken`: the holder's own stamp (RFC 3339). `damage`: why the file tells nothing, else empty."""

    file: Path
    pid: int = 0
    host: str = ""
    user: str = ""
    taken: str = ""
    damage: str = ""

    @property
    def dead(self) -> bool:
        """Whether it is certainly left over: its process ran on this machine and has ended, or never wrote it whole."""
        if self.damage:
            return _seconds_since_written(self.file) > _WRITTEN_WITHIN
        return self.host == socket.gethostname() and not holds(self.pid, self.taken)

    @property
    def who(self) -> str:
        """`ann@build-3, process 42, for 5 min: pulumi up`"""
        if self.damage:
            return f"a file that cannot be read: {self.file} ({self.damage})"
        command = command_of(self.pid) if self.host == socket.gethostname() and not self.dead else ""
        held = f"{self.user}@{self.host}, process {self.pid}, for {age(self.taken, datetime.now(UTC))}"
        return f"{held}: {command}" if command else held

    def to_json(self) -> dict[str, str | int | bool]:
        return {
            "file": str(self.file),
            "pid": self.pid,
            "host": self.host,
            "user": self.user,
            "since": self.taken,
            "damage": self.damage,
            "dead": self.dead,
        }


def found(root: Path, environment: str, variables: dict[str, str]) -> list[Lock]:
    """The locks on an environment's state, unreadable ones included; none for a backend that is not a folder."""
    project = environ.project_name(root)
    stack = environ.stack_file(root, variables, project, environment)
    if stack is None:
        return []
    folder = stack.parents[2] / "locks" / "organization" / project / environment
    files = sorted(file for file in folder.glob("*") if file.suffix != SIDECAR)
    return [lock for file in files if (lock := _read(file))]


def parse(file: Path, content: str | bytes) -> Lock:
    """The lock that a file holds; one whose content is not whole says so."""
    try:
        held = json.loads(content)
        return Lock(file, int(held["pid"]), str(held["hostname"]), str(held["username"]), str(held["timestamp"]))
    except (ValueError, KeyError, TypeError):
        return Lock(file, damage="it is not a whole lock")


def dead(root: Path, environment: str, variables: dict[str, str]) -> list[Lock]:
    """Those that nobody holds any more."""
    return [lock for lock in found(root, environment, variables) if lock.dead]


def remove(lock: Lock) -> None:
    """Take a lock file away, with the sidecar that the file backend keeps. Every lock has a name of its own."""
    lock.file.unlink(missing_ok=True)
    lock.file.with_name(lock.file.name + SIDECAR).unlink(missing_ok=True)


def holds(pid: int, taken: str) -> bool:
    """Whether the process that took a lock then still runs here; a number may have gone to another one since."""
    if not alive(pid):
        return False
    started, at = _started(pid), _seconds(taken)
    return started is None or at is None or started <= at + _ROUNDING


def alive(pid: int) -> bool:
    """Whether a process of that number runs on this machine.

    One that is over, but that nobody has waited for, does not; in a container such ones may stay for ever.
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return _state(pid) not in proc.OVER


def _state(pid: int) -> str:
    """Field 3 of proc(5) stat; empty where there is no /proc."""
    try:
        return proc.stat(pid)[proc.STATE]
    except OSError:
        return ""


def command_of(pid: int) -> str:
    """What a process of this machine runs, up to its first option: options may hold secrets."""
    try:
        words = (_PROC / str(pid) / "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return ""
    plain = [Path(words[0]).name]
    for word in filter(None, words[1:]):
        if word.startswith("-"):
            break
        plain.append(word)
    return " ".join(plain[:3])


def age(at: str, now: datetime) -> str:
    """`3 min`, for people."""
    taken = _seconds(at)
    if taken is None:
        return at or "an unknown time"
    seconds = now.timestamp() - taken
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _read(file: Path) -> Lock | None:
    """None for one that was removed meanwhile."""
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return Lock(file, damage=f"{type(error).__name__}")
    return parse(file, text)


def _seconds_since_written(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return 0.0


def _started(pid: int) -> float | None:
    """When a process of this machine started, in seconds of its clock; None where that is not known (proc(5))."""
    try:
        ticks = int(proc.stat(pid)[proc.STARTED])
        boot = next(line for line in (_PROC / "stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, StopIteration, ValueError, IndexError):
        return None
    return int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


def _seconds(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None
