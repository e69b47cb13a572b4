"""Programs that outlive the command that started them.

Each has a pid file that also holds the process's start time and a digest of its command. A process counts as ours only
while both pid and start time agree, so a recycled pid is never taken for ours, and never killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli import proc
from cli.errors import TurnoutError
from cli.sandbox.layout import write
from cli.sandbox.prerequisites import SEARCH_PATH

TERM_SECONDS = 10.0
KILL_SECONDS = 5.0
LOG_LIMIT = 32 * 1024 * 1024
_POLL = 0.02


@dataclass(frozen=True)
class Program:
    """One program to keep running. `stamp` is content that it reads only at its start (its configuration).

    It gets a search path and `environment`, and nothing else of the caller's: no secret that happens to be there.
    """

    name: str
    command: tuple[str, ...]
    stamp: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.command, self.stamp, self.environment]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Process:
    """A process as one particular life of a pid."""

    pid: int
    started: str
    digest: str = ""

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started

    def send(self, number: int) -> None:
        """Signal it and what it started in its session; nothing when it is gone."""
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


class Supervisor:
    """Starts, finds and ends the programs of one sandbox."""

    def __init__(self, run: Path, log: Path, wrap: Callable[[Sequence[str]], list[str]] | None = None) -> None:
        self._run, self._log, self._wrap = run, log, wrap or plainly

    def find(self, name: str) -> Process | None:
        """The living process of that name."""
        try:
            process = Process(**json.loads((self._run / f"{name}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return process if process.alive else None

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._run.glob("*.json"))

    def ensure(self, program: Program) -> bool:
        """Have it run with this very command and configuration; says whether it had to be started."""
        process = self.find(program.name)
        if process and process.digest == program.digest:
            return False
        if process:
            stop([process])
        self._start(program)
        return True

    def kill(self, names: Iterable[str]) -> None:
        """End them all at once, without asking: what they would save on the way out is about to be deleted."""
        named = [(name, self.find(name)) for name in names]
        found = [process for _, process in named if process]
        for process in found:
            process.send(signal.SIGKILL)
        _wait(found, KILL_SECONDS)
        for name, _ in named:
            (self._run / f"{name}.json").unlink(missing_ok=True)

    def log_file(self, name: str) -> Path:
        return self._log / f"{name}.log"

    def tail(self, name: str, lines: int = 8) -> str:
        """The end of the program's log, for an error's reason."""
        try:
            with self.log_file(name).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
                text = file.read().decode(errors="replace")
        except OSError:
            return "it wrote no log"
        return "\n".join(line[:400] for line in text.splitlines()[-lines:])

    def require(self, name: str) -> None:
        """Raise TurnoutError with the end of its log when the program has ended."""
        if self.find(name) is None:
            raise TurnoutError(
                f"{name} ended soon after its start",
                why=self.tail(name),
                next=f"read {self.log_file(name)}, then run: turnout sandbox up",
            )

    def _start(self, program: Program) -> None:
        with self._open_log(program.name) as out:
            child = subprocess.Popen(
                self._wrap(program.command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env={"PATH": _search_path(), "HOME": str(Path.home()), **dict(program.environment)},
            )
        _ours.append(child)
        record = {"pid": child.pid, "started": start_time(child.pid) or "ended", "digest": program.digest}
        write(self._run / f"{program.name}.json", json.dumps(record))

    def _open_log(self, name: str) -> _Log:
        path = self.log_file(name)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return _Log(path)


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:{SEARCH_PATH}"


class _Log:
    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def __enter__(self) -> int:
        return self._file.fileno()

    def __exit__(self, *_: object) -> None:
        self._file.close()


_ours: list[subprocess.Popen[bytes]] = []  # kept, so that Python reaps them and does not warn


def plainly(command: Sequence[str]) -> list[str]:
    """A program started as it is."""
    return [*command]


def stop(processes: Sequence[Process]) -> None:
    """SIGTERM to all, SIGKILL to what is left after `TERM_SECONDS`."""
    for process in processes:
        process.send(signal.SIGTERM)
    left = _wait(processes, TERM_SECONDS)
    for process in left:
        process.send(signal.SIGKILL)
    _wait(left, KILL_SECONDS)


def _wait(processes: Sequence[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    left = list(processes)
    while left and time.monotonic() < deadline:
        _reap()
        left = [process for process in left if process.alive]
        if left:
            time.sleep(_POLL)
    return left


def _reap() -> None:
    for child in [*_ours]:
        if child.poll() is not None:
            _ours.remove(child)


def start_time(pid: int) -> str | None:
    """What tells this life of a pid from any other; None when no such process runs (a zombie does not)."""
    return _start_time_linux(pid) if platform.system() == "Linux" else _start_time_ps(pid)


def _start_time_linux(pid: int) -> str | None:
    """The tick of its start, and the boot."""
    try:
        fields = proc.stat(pid)
    except OSError:
        return None
    return None if fields[proc.STATE] in proc.OVER else f"{_boot()}-{fields[proc.STARTED]}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]


def _start_time_ps(pid: int) -> str | None:
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None
