"""What end-to-end tests do as a user would: run the command, edit the settings, ask the cluster, put load on it."""

from __future__ import annotations

import json
import linecache
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from cli.demo.project import Project
from cli.demo.traffic import Service, Traffic
from cli.kube.client import Kube, connect
from cli.rollout.where import from_settings

ROOT = Path(__file__).resolve().parent.parent
COMMAND = str(Path(sys.executable).parent / "turnout")


def turnout(*words: str, cwd: Path = ROOT, timeout: float = 900, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command; any other exit code than `expect` fails the test with all that was printed."""
    done = subprocess.run([COMMAND, *words], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != expect:
        printed = f"{done.stdout}\n{done.stderr}"
        pytest.fail(f"turnout {' '.join(words)}: exit {done.returncode}, expected {expect}\n{printed}", pytrace=False)
    return done


class Environment:
    """The dev environment in a test's sandbox: its settings in a folder of their own, and the cluster behind it."""

    def __init__(self, project: Project, sandbox: str) -> None:
        self.project = project
        self.kube: Kube = connect(from_settings({"sandbox": sandbox}))

    def turnout(self, *words: str, expect: int = 0, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        return turnout(*words, cwd=self.project.folder, expect=expect, timeout=timeout)

    def json(self, *words: str) -> Any:
        """What a command says under --json."""
        return json.loads(self.turnout(*words, "--json").stdout)

    def ask(self, namespace: str, service: str, port: str, path: str, query: dict[str, str] | None = None) -> Any:
        """GET through the API server's proxy."""
        return json.loads(self.kube.proxy(namespace, service, port, path, query))

    @contextmanager
    def load(self) -> Iterator[Load]:
        """Open-loop load on the app's api for the length of the block."""
        spec = self.kube.get("v1", "Service", "api", "dev")["spec"]
        service = Service(spec["clusterIP"], spec["ports"][0]["port"])
        traffic, result = Traffic(service, self.project.folder / "load.json"), Load()
        try:
            traffic.start()
            yield result
            result.counted, result.served = traffic.stop()
        finally:
            traffic.abandon()


@dataclass
class Load:
    """What the generator counted, and what the servers did; filled in when the block has ended.

    `renew` has its connections kept alive opened anew.
    """

    counted: dict[str, Any] = field(default_factory=dict)
    served: int = 0
    renew: Callable[[], None] = lambda: None


@contextmanager
def without_prometheus(kube: Kube, environment: str) -> Iterator[None]:
    """The environment's Prometheus has no copy for the length of the block."""
    place = ("apps/v1", "StatefulSet", "prometheus", f"{environment}-monitoring")
    try:
        kube.patch(*place, {"spec": {"replicas": 0}}, "test")
        eventually(lambda: not kube.get(*place)["status"].get("replicas"))
        yield
    finally:
        kube.patch(*place, {"spec": {"replicas": 1}}, "test")
        eventually(lambda: kube.get(*place)["status"].get("readyReplicas") == 1)


def eventually(
    check: Callable[[], Any], what: str | Callable[[], str] = "", *, seconds: float = 120, every: float = 0.2
) -> Any:
    """The first true value of `check`, asked again until `seconds` have passed.

    A failure says `what` was waited for (asked only then), or else the source of the check.
    """
    end = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > end:
            pytest.fail(f"not so within {seconds:g} s: {(what() if callable(what) else what) or _source(check)}")
        time.sleep(every)
    return value


def drain(descriptor: int, written: list[bytes]) -> None:
    """Read a pipe or terminal to its end, piece by piece."""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # the other end was closed
            return
        if not chunk:
            return
        written.append(chunk)


def _source(check: Callable[[], Any]) -> str:
    """The line where a lambda begins, what a function's docstring says of it, the repr of anything else."""
    if not isinstance(check, FunctionType):
        return repr(check)
    if check.__name__ != "<lambda>":
        return check.__doc__ or check.__name__
    return linecache.getline(check.__code__.co_filename, check.__code__.co_firstlineno).strip()
