"""The processes below a command: who they are, and whether they have ended. Linux only: it reads /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.kills import Victim


@dataclass(frozen=True)
class Process:
    """One process for all time: its number may be used again, with another start tick."""

    pid: int
    started: str
    command: str = field(compare=False)

    @property
    def role(self) -> Victim | None:
        if "cli.provider" in self.command:
            return Victim.PROVIDER
        return Victim.ENGINE if Path(self.command.split(" ")[0]).name.startswith("pulumi") else None

    @property
    def runs(self) -> bool:
        found = look(self.pid)
        return found is not None and found.started == self.started

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def look(pid: int) -> Process | None:
    """A process that runs; None when it is gone or only its exit code is left."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Process(pid, fields[19], command)


def below(pid: int) -> Iterator[Process]:
    """All descendants that run."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in file.read_text().split():
                if found := look(int(child)):
                    yield found
                    yield from below(found.pid)


def seconds_until_gone(processes: Iterable[Process], limit: float) -> tuple[float, list[Process]]:
    """How long they went on, and which of them still run at the limit."""
    began = time.monotonic()
    left = list(processes)
    while (left := [process for process in left if process.runs]) and time.monotonic() - began < limit:
        time.sleep(0.02)
    return time.monotonic() - began, left
