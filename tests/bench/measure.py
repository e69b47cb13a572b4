"""Runs one command and measures it: seconds, processor seconds, and the peak memory of each process of its tree."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.05
"""Seconds between two looks at the processes of a short command."""
LIMIT = 3600.0
"""Seconds after which a command is taken for hung."""
GRACE = 15.0
"""Seconds that it then gets to end what it started."""

_ROLES = (
    ("provider", ("cli.provider", "pulumi-resource-")),
    ("language", ("pulumi-language-",)),
    ("engine", ("/pulumi", "pulumi ")),
)


class Failed(Exception):
    """A command that was measured did not do its work."""


@dataclass(frozen=True)
class Sample:
    """One run. `peak_mb` is the tree's, all processes at one time; `peaks` those of its parts by role."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    peaks: Mapping[str, float]
    out: str


@dataclass
class _Memory:
    """What the processes under one hold, looked at until the end."""

    root: int
    whole: float = 0.0
    parts: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def look(self) -> None:
        sizes = [(_role(pid, self.root), _resident_mb(pid)) for pid in _tree(self.root)]
        self.whole = max(self.whole, sum(size for _, size in sizes))
        for role in {role for role, _ in sizes}:
            self.parts[role] = max(self.parts[role], sum(size for other, size in sizes if other == role))


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], fine: Sequence[int] = (0,)) -> Sample:
    """Run it to its end. Raises Failed with what it said when its exit code is not `fine`."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    memory, ended = _Memory(process.pid), threading.Event()
    watcher = threading.Thread(target=_watch, args=(memory, ended, process), daemon=True)
    watcher.start()
    status = None
    try:
        out = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        ended.set()
        watcher.join()
        if process.stdout:
            process.stdout.close()
        if status is None:
            _end(process)
    took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in fine:
        raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{out.decode(errors='replace')[-3000:]}")
    peaks = {role: round(size, 1) for role, size in sorted(memory.parts.items())}
    cpu = usage.ru_utime + usage.ru_stime
    return Sample(took, cpu, round(memory.whole, 1), peaks, out.decode(errors="replace"))


def _watch(memory: _Memory, ended: threading.Event, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    while not ended.wait(_pause(time.monotonic() - began)):
        memory.look()
        if time.monotonic() > began + LIMIT:
            _end(process)
            return


def _pause(elapsed: float) -> float:
    """Longer for long commands: looking takes processor time that theirs is beside."""
    return min(max(EVERY, elapsed / 100), 1.0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it stays: it is asked to end what it started, and ended with all of that when it does not."""
    tree = _tree(process.pid)
    _signal([process.pid], signal.SIGTERM)
    until = time.monotonic() + GRACE
    while time.monotonic() < until and _is_alive(process.pid):
        time.sleep(EVERY)
    _signal([pid for pid in tree if _is_alive(pid)], signal.SIGKILL)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_alive(pid: int) -> bool:
    """A zombie is not: its parent has yet to take note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _tree(root: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += _numbers(file)
    return found


def _numbers(file: Path) -> list[int]:
    try:
        return [int(word) for word in file.read_text().split()]
    except OSError:
        return []


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _role(pid: int, root: int) -> str:
    """The command itself is `command`, whatever it is called."""
    if pid == root:
        return "command"
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "other"
    return next((role for role, marks in _ROLES if any(mark in line for mark in marks)), "other")
