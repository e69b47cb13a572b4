"""Which `pulumi` drives an environment: the one on PATH, or where there is none, one built from its pinned module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import paths
from cli.errors import TurnoutError, UsageError
from cli.progress import Progress

OLDEST = (3, 250, 0)
"""The first release that this engine is driven with: its event stream and flags are what `cli.engine` reads."""

OWN = "TURNOUT_ENGINE"
"""The variable that, set to `own`, passes over the pulumi on PATH."""

_MODULE = Path(__file__).parent.parent / "sandbox" / "modules" / "engine"


class UnfitEngine(TurnoutError):
    """The `pulumi` on PATH is too old, or of another major version."""


@dataclass(frozen=True)
class Binary:
    """A `pulumi` executable and its version, without the leading v."""

    path: Path
    version: str


def find(progress: Progress) -> Binary:
    """The engine to use; built where there is none, or where `TURNOUT_ENGINE=own` says so.

    Raises UnfitEngine when the one on PATH cannot be driven, TurnoutError when none can be had.
    """
    there = installed()
    return built(progress) if there is None else must_fit(there)


def must_fit(binary: Binary) -> Binary:
    """The same binary. Raises UnfitEngine when its version cannot be driven."""
    if fits(binary.version):
        return binary
    raise UnfitEngine(
        f"pulumi {binary.version} at {binary.path} cannot be driven",
        why=f"turnout works with pulumi {OLDEST[0]}.x from {_text(OLDEST)} on",
        next=f"upgrade it (https://www.pulumi.com/docs/install), or use turnout's own engine: export {OWN}=own",
    )


def fits(version: str) -> bool:
    """Whether a version can be driven: the same major, and recent enough."""
    numbers = _numbers(version)
    return numbers[:1] == OLDEST[:1] and numbers >= OLDEST


def installed() -> Binary | None:
    """The one on PATH, unless it is to be passed over."""
    chosen = os.environ.get(OWN, "")
    if chosen not in ("", "own"):
        raise UsageError(
            f"{OWN}={chosen} is not `own`", next=f"unset {OWN}: the pulumi on PATH is used where there is one"
        )
    found = None if chosen else shutil.which("pulumi")
    return Binary(Path(found), version_of(Path(found))) if found else None


def built(progress: Progress) -> Binary:
    """The engine from the pinned module, built once into the cache."""
    remembered = _remembered().get(_module_mark())
    if remembered and Path(remembered).is_file():
        return Binary(Path(remembered), version_of(Path(remembered)))
    from cli.sandbox import build

    path = build.ensure(["pulumi"], progress)["pulumi"]
    _remember(_module_mark(), str(path))
    return Binary(path, version_of(path))


def version_of(path: Path) -> str:
    """Asks the executable once and remembers the answer until the file changes."""
    status = path.stat()
    mark = f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}"
    if known := _remembered().get(mark):
        return known
    version = _ask(path)
    _remember(mark, version)
    return version


def _ask(path: Path) -> str:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [path, "version"], capture_output=True, text=True, timeout=30, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TurnoutError(
            f"{path} does not answer to `version`",
            why=str(error),
            next="repair it or take it off PATH; without one an engine is built here",
        ) from error
    return done.stdout.strip().removeprefix("v")


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(number) for number in found.groups()) if found else ()


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))


def _module_mark() -> str:
    status = (_MODULE / "go.sum").stat()
    return f"{_MODULE}:{status.st_size}:{status.st_mtime_ns}"


def _memory() -> Path:
    return paths.cache_dir() / "engine.json"


def _remembered() -> dict[str, str]:
    try:
        known: dict[str, Any] = json.loads(_memory().read_text())
    except (OSError, ValueError):
        return {}
    return known


def _remember(mark: str, value: str) -> None:
    file = _memory()
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps({**_remembered(), mark: value}, indent=2) + "\n")
    unfinished.replace(file)
