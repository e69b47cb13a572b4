"""What a person sees of the demo: numbered steps, and each command with its own output, as if typed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.errors import TurnoutError

TIMEOUT = 900.0
"""Seconds that one command may take."""


@dataclass(frozen=True)
class Ran:
    """A command that ended well. `began` and `ended` are seconds of the wall clock."""

    began: float
    ended: float
    output: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Terminal:
    """Prints steps and runs commands in a folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **environment}
        self._number = 0

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._number += 1
        _print(f"\n── {self._number}. {title}")

    def say(self, text: str) -> None:
        """A line of the demo's own."""
        _print(f"   {text}")

    def run(self, *command: str, show_as: Sequence[str] = ()) -> Ran:
        """Run a command with its output shown. Raises TurnoutError when it fails."""
        _print(f"$ {shlex.join(show_as or command)}")
        return self._call(command, None)

    def ask(self, *command: str) -> Ran:
        """Run a command for its answer on stdout, which is not shown. Raises TurnoutError when it fails."""
        return self._call(command, subprocess.PIPE)

    def _call(self, command: Sequence[str], stdout: int | None) -> Ran:
        began = time.time()
        try:
            done = subprocess.run(
                command, cwd=self._folder, env=self._environment, stdout=stdout, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise _failed(command, f"it did not end within {TIMEOUT:.0f} s") from None
        if done.returncode:
            raise _failed(command, f"exit code {done.returncode}")
        return Ran(began, time.time(), done.stdout or "")


def _failed(command: Sequence[str], why: str) -> TurnoutError:
    return TurnoutError(
        f"the demo stopped: {shlex.join(command)}",
        why=why,
        next="what it says above; then `make demo` again, which goes on from what is there (or `make down` first)",
    )


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
