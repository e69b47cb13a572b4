"""Watches the app's new pods all along a rollout, and stops the engine as soon as the rollout is known to fail."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from cli.errors import TurnoutError
from cli.kube.health import health
from cli.kube.pods import is_ready
from cli.kube.related import Related, gather, last_lines
from cli.rollout import signs
from cli.rollout.control import Manifest
from components.names import APP, COMPONENT, ENVIRONMENT

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.lock import Held

_LOOK = 1.0
_LISTEN = 0.25
"""Seconds between two looks at the lock: whoever aborts a rollout waits for that."""
_LINES = 10
_WARNINGS = 3


def interrupt_engine() -> None:
    """What a first Ctrl-C does: the engine ends cleanly and saves its state."""
    os.kill(os.getpid(), signal.SIGINT)


class Watcher:
    """A context. `verdict`: why the rollout fails, empty while it does not; `evidence`: lines.

    Pods that are there already are not its business, but for those that `ours` knows: of a rollout that goes on.
    """

    def __init__(
        self,
        kube: Kube,
        environment: str,
        held: Held,
        *,
        ours: Callable[[Manifest], bool] = lambda _: False,
        stop: Callable[[], None] = interrupt_engine,
    ) -> None:
        self._kube, self._environment, self._held, self._ours, self._stop = kube, environment, held, ours, stop
        self._engine = False
        self._selector = f"{ENVIRONMENT}={environment},{COMPONENT}={APP}"
        self._ended = threading.Event()
        self._guard = threading.Lock()
        self._without_image: dict[str, float] = {}
        self.verdict = ""
        self.evidence: list[str] = []

    def __enter__(self) -> Watcher:
        self._known = {pod["metadata"]["uid"] for pod in self._listed("v1", "Pod") if not self._ours(pod)}
        self._settled = {
            row["metadata"]["uid"] for row in self._listed("apps/v1", "Deployment") if signs.of_workload(row)
        }
        for work in (self._watch_pods, self._watch_deployments, self._watch_lock):
            threading.Thread(target=self._forever, args=(work,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._ended.set()

    @contextmanager
    def engine_runs(self) -> Iterator[None]:
        """The engine is stopped by a failure within this block, also by one that was seen before."""
        with self._guard:
            self._engine = True
            if self.verdict:
                self._stop()
        try:
            yield
        finally:
            with self._guard:
                self._engine = False

    def _forever(self, work: Callable[[], None]) -> None:
        """A connection that breaks is made again; when the client is closed the run is over anyhow."""
        while not self._ended.is_set():
            try:
                work()
            except Exception:
                self._ended.wait(_LOOK)

    def _watch_pods(self) -> None:
        for what, pod in self._kube.watch("v1", "Pod", self._environment, labels=self._selector):
            if self._ended.is_set():
                return
            if what != "DELETED" and pod["metadata"]["uid"] not in self._known:
                self._judge(pod)

    def _judge(self, pod: Manifest) -> None:
        if why := signs.of_pod(pod, self._seconds_without_image(pod)):
            self._fail(why, {"apiVersion": "v1", "kind": "Pod", **pod})

    def _watch_deployments(self) -> None:
        for _, row in self._kube.watch("apps/v1", "Deployment", self._environment, labels=self._selector):
            if self._ended.is_set():
                return
            live = {"apiVersion": "apps/v1", "kind": "Deployment", **row}
            if not signs.of_workload(live):
                self._settled.discard(row["metadata"]["uid"])
            elif row["metadata"]["uid"] not in self._settled:
                self._fail(signs.of_workload(live), live)

    def _watch_lock(self) -> None:
        while not self._ended.wait(_LISTEN):
            if self._held.lost:
                self._fail(f"the lock of {self._environment} was lost", None)
            self._held.look()
            if self._held.abort:
                self._fail(f"aborted by {self._held.abort}", None)

    def _fail(self, why: str, live: Manifest | None) -> None:
        """The first sign counts; its evidence is read before the rollback removes it."""
        with self._guard:
            if self.verdict or self._ended.is_set():
                return
            self.verdict = why
            self.evidence = evidence(self._kube, live) if live else []
            if self._engine:
                self._stop()

    def _seconds_without_image(self, pod: Manifest) -> float:
        uid, now = pod["metadata"]["uid"], time.monotonic()
        if not signs.waits_for_image(pod):
            self._without_image.pop(uid, None)
            return 0.0
        return now - self._without_image.setdefault(uid, now)

    def _listed(self, api_version: str, kind: str) -> list[Manifest]:
        found = self._kube.list(api_version, kind, self._environment, labels=self._selector)
        return [{"apiVersion": api_version, "kind": kind, **row} for row in found]


def evidence(kube: Kube, live: Manifest) -> list[str]:
    """What tells people why it failed: the causes, the pods' own last log lines, the last warnings."""
    try:
        about = kube.run(gather(kube.server, live))
    except TurnoutError as error:
        return [f"(nothing more can be read: {error.what})"]
    warnings = [row for row in about.events if row.get("type") == "Warning"][-_WARNINGS:]
    said = [f"event: {row.get('reason')}: {' '.join(str(row.get('message')).split())}" for row in warnings]
    return list(dict.fromkeys([*health(live, about).lines(), *_last_words(kube, about), *said]))


def _last_words(kube: Kube, about: Related) -> list[str]:
    """The log of a pod that runs without getting ready; what crashed is among the causes already."""
    lines: list[str] = []
    for pod in [pod for pod in about.pods if not is_ready(pod)][:1]:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        for container in (row["name"] for row in pod["spec"]["containers"] if (name, row["name"]) not in about.logs):
            said = kube.run(last_lines(kube.server, namespace, name, container, _LINES, previous=False))
            if said:
                lines += [f"last lines of pod {name}, container {container}:", *(f"    {line}" for line in said)]
    return lines
