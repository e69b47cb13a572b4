"""Builds the sandbox's parts from their pinned Go modules, each once, into the cache.

`<cache>/bin/<part>-<key>/` holds the binaries and `build.json`; the key covers the module folder's files, the Go
version, the target and the flags, so whatever changes a binary changes its folder.
A folder appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cli import paths
from cli.errors import TurnoutError
from cli.progress import Progress, Step
from cli.sandbox import parts, prefetch, prune, toolchain
from cli.sandbox.locking import only_one
from cli.sandbox.parts import Part, Program
from cli.sandbox.toolchain import Go

FLAGS: Final = (  # the same for every build: else Go compiles packages that two programs share twice
    "-mod=readonly",
    "-trimpath",
    "-buildvcs=false",
    "-gcflags=all=-dwarf=false",
    "-v",
)
_TAIL: Final = 15
_COUNT_SHOWN_EVERY: Final = 100
_WARM: Final = 3  # that many times faster than usual: Go had it all compiled, which says nothing about a cold build


def ensure(names: Sequence[str], progress: Progress) -> dict[str, Path]:
    """Where the binaries of `names` (parts or binaries) are; builds those that are missing.

    Name all that will be needed in one call: while one part compiles, the modules of the next ones are downloaded.
    Every binary of a named part is in the answer, by name. Raises UsageError for an unknown name and TurnoutError, with
    the end of the log, for a build that failed.
    """
    go = toolchain.find(progress)
    wanted = parts.find(names)
    missing = [part for part in wanted if not _folder(part, go).is_dir()]
    with ended_by_sigterm(), prefetch.ahead(missing[1:], go, environment()):
        for part in missing:
            _ensure_part(part, go, progress)
    found: dict[str, Path] = {}
    for part in wanted:
        folder = _folder(part, go)
        prune.used(folder)
        found |= {name: folder / name for name in part.binaries}
    return found


def key(part: Part, go: Go) -> str:
    """What the part's binaries depend on, as 12 hexadecimal digits."""
    digest = hashlib.sha256(json.dumps([go.version, go.target, _flags(part)]).encode())
    for file in sorted(path for path in part.module.rglob("*") if path.is_file()):
        digest.update(f"\0{file.relative_to(part.module)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def command(part: Part, program: Program, go: Go, output: Path) -> list[str]:
    """The child process that builds one binary."""
    return [str(go.command), "build", *_flags(part), "-o", str(output), program.package]


def environment() -> dict[str, str]:
    """The caller's own (GOPROXY and GOFLAGS hold), less what would change a binary."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def usual_seconds(part: Part) -> float:
    """How long the part took to build the last time on this machine, else on the machine it was first measured on."""
    return _durations().get(part.name, part.usual_seconds)


def _folder(part: Part, go: Go) -> Path:
    return paths.cache_dir() / "bin" / f"{part.name}-{key(part, go)}"


def _ensure_part(part: Part, go: Go, progress: Progress) -> None:
    folder = _folder(part, go)
    with progress.step(f"building {part.name}", usually=usual_seconds(part)) as step, only_one(part.name, step):
        if not folder.is_dir():
            _build(part, go, folder, step)
            prune.binaries(part.name)


def _build(part: Part, go: Go, folder: Path, step: Step) -> None:
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    began = time.monotonic()
    for program in part.programs:
        run_go(command(part, program, go, unfinished / program.binary), part.module, part.name, step)
        _link(program, unfinished)
    _record(part, go, unfinished, time.monotonic() - began)
    unfinished.rename(folder)


def _link(program: Program, folder: Path) -> None:
    for alias in program.aliases:
        (folder / alias).symlink_to(program.binary)


def run_go(arguments: list[str], folder: Path, name: str, step: Step) -> None:
    """Runs one Go command to its end, its output going to a log in the cache.

    Raises TurnoutError with the log's last lines when it fails; an interruption, SIGTERM too, ends the child and all
    that it started.
    """
    log = paths.cache_dir() / "logs" / f"build-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        ended_by_sigterm(),
        log.open("w") as out,
        subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        ) as child,
    ):
        reader = _Reader(step)
        try:
            for line in child.stdout or ():
                out.write(line)
                reader.read(line)
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            raise
    if child.returncode != 0:
        raise _failure(name, log)


class _Reader:
    """Turns Go's output into what a step shows."""

    def __init__(self, step: Step) -> None:
        self._step, self._packages = step, 0

    def read(self, line: str) -> None:
        if line.startswith("go: downloading"):
            self._step.update("downloading modules")
        elif " " not in line:
            self._compiled()

    def _compiled(self) -> None:
        self._packages += 1
        if self._packages % _COUNT_SHOWN_EVERY == 0:
            self._step.update(f"{self._packages} packages compiled")


def _failure(name: str, log: Path) -> TurnoutError:
    lines = [line for line in log.read_text(errors="replace").splitlines() if _says_something(line)]
    return TurnoutError(
        f"building {name} failed",
        why="\n".join(["the end of its log:", *lines[-_TAIL:]]),
        next=f"read {log}, then run the same command again: what is built already is kept",
    )


def _says_something(line: str) -> bool:
    return " " in line and not line.startswith("go: downloading")


def _record(part: Part, go: Go, folder: Path, seconds: float) -> None:
    facts = {"part": part.name, "go": go.version, "target": go.target, "seconds": round(seconds, 1)}
    (folder / "build.json").write_text(json.dumps(facts, indent=2) + "\n")
    if seconds > usual_seconds(part) / _WARM:
        replace_text(_durations_file(), json.dumps({**_durations(), part.name: round(seconds, 1)}, indent=2) + "\n")


def _durations() -> dict[str, float]:
    try:
        known: dict[str, float] = json.loads(_durations_file().read_text())
    except (OSError, ValueError):
        return {}
    return known


def _durations_file() -> Path:
    return paths.cache_dir() / "durations.json"


def replace_text(path: Path, text: str) -> None:
    """Writes a small file so that a reader sees the old or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text)
    unfinished.rename(path)


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Makes a SIGTERM interrupt as Ctrl-C does, so that children end with this process.

    Only in the main thread, and only where nobody else handles the signal.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _flags(part: Part) -> list[str]:
    variables = " ".join(["-s -w", *(f"-X {name}={value}" for name, value in part.variables)])
    tags = [f"-tags={','.join(part.tags)}"] if part.tags else []
    return [*FLAGS, *tags, f"-ldflags={variables}"]
