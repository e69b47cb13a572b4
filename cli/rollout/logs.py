"""The log lines of a workload's pods, in the order of time, each told by its pod."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.errors import TurnoutError, UsageError
from cli.kube import requests
from cli.kube.errors import Forbidden, Unauthorized, Unreachable
from cli.rollout.control import Manifest
from cli.rollout.live import at_once
from components.environment import Namespaces
from components.names import ENVIRONMENT, WORKLOAD

if TYPE_CHECKING:
    from cli.kube.client import Kube

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Source = tuple[str, str, str]
"""(namespace, pod, container)"""


@dataclass(frozen=True)
class Wanted:
    """Which lines: `since` so many seconds (None: all), `tail` of each container, of this run or the one before."""

    workload: str
    since: int | None = None
    tail: int = 100
    previous: bool = False


@dataclass(frozen=True)
class Line:
    """One line; `at` is the container runtime's stamp (RFC 3339)."""

    at: str
    pod: str
    container: str
    message: str

    @property
    def text(self) -> str:
        return f"{self.pod} {self.message}"

    def to_json(self) -> dict[str, str]:
        return vars(self)


def seconds(text: str, option: str = "--since") -> int | None:
    """`15m` → 900; None for nothing. Raises UsageError, which names the option that was given it."""
    if not text:
        return None
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if not match:
        raise UsageError(
            f"{option} {text} is no length of time", why="expected a number and s, m, h or d", next=f"{option} 15m"
        )
    return int(match[1]) * _UNITS[match[2]]


def pods(kube: Kube, environment: str, workload: str) -> list[Source]:
    """Every container of the workload, in any namespace of the environment. Raises UsageError, naming what there is."""
    selector = f"{ENVIRONMENT}={environment}"
    spaces = Namespaces.of(environment).of_workloads
    found = [pod for space in spaces for pod in kube.list("v1", "Pod", space, labels=selector)]
    own = [source for pod in found if _workload(pod) == workload for source in _containers(pod)]
    if not own:
        known = ", ".join(sorted({_workload(pod) for pod in found})) or "none"
        raise UsageError(
            f"no pod of {workload} in {environment}",
            why=f"workloads with pods: {known}",
            next=f"turnout status {environment}",
        )
    return own


def read(kube: Kube, sources: Iterable[Source], wanted: Wanted) -> list[Line]:
    """All lines, oldest first. A container that has no log yet (or no previous run) has no lines.

    Raises KubeError where logs may not be read or nothing answers: an empty log would say something else.
    """
    found = at_once(lambda source: _lines(kube, source, wanted), sources)
    return sorted((line for lines in found for line in lines), key=lambda line: line.at)


def followed(kube: Kube, sources: Iterable[Source], wanted: Wanted) -> Iterator[Line]:
    """Lines as they come, until every container has ended. Raises KubeError where logs may not be read."""
    lines: queue.Queue[Line | TurnoutError | None] = queue.Queue()
    threads = [threading.Thread(target=_follow, args=(kube, source, wanted, lines), daemon=True) for source in sources]
    for thread in threads:
        thread.start()
    running = len(threads)
    while running:
        line = lines.get()
        if isinstance(line, TurnoutError):
            raise line
        if line is None:
            running -= 1
        else:
            yield line


def line_of(source: Source, raw: str) -> Line:
    """`2026-01-01T00:00:00.1Z message` → Line."""
    at, _, message = raw.partition(" ")
    return Line(at, source[1], source[2], message)


def _lines(kube: Kube, source: Source, wanted: Wanted) -> list[Line]:
    namespace, pod, container = source
    request = requests.logs(
        namespace,
        pod,
        container=container,
        tail=wanted.tail,
        previous=wanted.previous,
        since_seconds=wanted.since,
        timestamps=True,
    )
    try:
        text = kube.request(request).body.decode(errors="replace")
    except (Forbidden, Unauthorized, Unreachable):
        raise
    except TurnoutError:
        return []
    return [line_of(source, raw) for raw in text.splitlines() if raw]


def _follow(kube: Kube, source: Source, wanted: Wanted, lines: queue.Queue[Line | TurnoutError | None]) -> None:
    """A pod that goes away ends its lines; what forbids or prevents reading is told."""
    namespace, pod, container = source
    try:
        for raw in kube.follow_logs(
            namespace, pod, container=container, tail=wanted.tail, since_seconds=wanted.since, timestamps=True
        ):
            lines.put(line_of(source, raw))
    except (Forbidden, Unauthorized, Unreachable) as error:
        lines.put(error)
    except TurnoutError:
        return
    finally:
        lines.put(None)


def _workload(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get(WORKLOAD, pod["metadata"]["name"]))


def _containers(pod: Manifest) -> list[Source]:
    metadata = pod["metadata"]
    return [(metadata["namespace"], metadata["name"], row["name"]) for row in pod["spec"]["containers"]]
