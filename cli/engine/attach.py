"""Which kubernetes provider a run uses, and our own one as a child process attached to the engine for that run.

The child is started before anything heavy is imported, so that its start overlaps with ours. Its standard input is its
lifeline: it ends when we are gone, however we ended.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Literal

from cli.errors import TurnoutError, UsageError

Kind = Literal["own", "official"]

START_LIMIT = 30.0
_PLUGIN = "pulumi-resource-kubernetes"


def choose(environment: dict[str, str]) -> Kind:
    """`TURNOUT_PROVIDER` when set, else the official plugin where it is installed, else our own."""
    forced = environment.get("TURNOUT_PROVIDER", "")
    if forced in ("own", "official"):
        return "own" if forced == "own" else "official"
    if forced:
        raise UsageError(
            f"TURNOUT_PROVIDER={forced} is neither `own` nor `official`",
            next="unset it, and the official plugin is used where it is installed",
        )
    return "official" if official_version(environment) else "own"


def official_version(environment: dict[str, str]) -> str:
    """The newest installed official plugin of major version 4 (`unknown` for one on PATH), or nothing."""
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    found = [
        folder.name.rsplit("-v", 1)[-1] for folder in home.glob("plugins/resource-kubernetes-v4.*") if folder.is_dir()
    ]
    if found:
        return max(found, key=_numbers)
    return "unknown" if shutil.which(_PLUGIN, path=environment.get("PATH")) else ""


def label(kind: Kind, environment: dict[str, str]) -> str:
    """A provider with its version, as it is shown to people."""
    if kind == "own":
        return "turnout's own kubernetes provider"
    return f"official kubernetes plugin {official_version(environment) or '(to be downloaded)'}"


def is_older(version: str, than: str) -> bool:
    """Whether one version is known and older than another."""
    return bool(_numbers(version)) and _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


class Attachment:
    """The provider of one run, as a context: started on construction, ended with the context."""

    def __init__(self, environment: dict[str, str] | None = None, *, offline: bool = False) -> None:
        """`offline`: for a preview by the state alone, which only our own provider can tell."""
        self._environment = dict(os.environ) if environment is None else environment
        self._offline = offline
        self.kind: Kind = "own" if offline else choose(self._environment)
        self._child = _start(self._environment, offline=offline) if self.kind == "own" else None
        self._port = 0

    @property
    def label(self) -> str:
        """What is shown to people."""
        return label(self.kind, self._environment) + (", no cluster asked" if self._offline else "")

    @property
    def ended(self) -> int | None:
        """How our own provider ended, as `subprocess` counts; None for one that still runs, or is the engine's."""
        return self._child.poll() if self._child else None

    def variables(self) -> dict[str, str]:
        """What the engine needs in its environment to use this provider; waits until the provider listens."""
        if self._child is None:
            return {}
        attached = [entry for entry in self._environment.get("PULUMI_DEBUG_PROVIDERS", "").split(",") if entry]
        attached = [entry for entry in attached if not entry.startswith("kubernetes:")]
        return {
            "PULUMI_DEBUG_PROVIDERS": ",".join([*attached, f"kubernetes:{self._listening_port()}"]),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def __enter__(self) -> Attachment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child at once: the engine has ended, so that nothing of it is under way."""
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            return
        child.stdin.close()
        child.kill()
        child.wait()
        child.stdout.close()

    def _listening_port(self) -> int:
        if not self._port and self._child is not None:
            self._port = _read_port(self._child)
        return self._port


def _start(environment: dict[str, str], *, offline: bool) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.provider", *(["--offline"] if offline else [])],
        env={**environment, "GRPC_VERBOSITY": environment.get("GRPC_VERBOSITY", "NONE")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        process_group=0,
    )


def _read_port(child: subprocess.Popen[bytes]) -> int:
    output = child.stdout
    deadline = time.monotonic() + START_LIMIT
    line = b""
    while output is not None and not line.endswith(b"\n"):
        ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
        more = output.read(64) if ready else b""
        if not more:
            raise _did_not_start(child)
        line += more
    try:
        return int(line.split()[0])
    except (ValueError, IndexError):
        raise _did_not_start(child) from None


def _did_not_start(child: subprocess.Popen[bytes]) -> TurnoutError:
    code = child.poll()
    return TurnoutError(
        "turnout's own kubernetes provider did not start",
        why=f"it ended with exit code {code}" if code is not None else f"no port from it within {START_LIMIT:.0f} s",
        next=f"run it by hand to see its error: {sys.executable} -m cli.provider",
    )
