"""Waits until workloads are rolled out: by watches, so that the end is seen when it comes, saying meanwhile why not."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cli.errors import TurnoutError
from cli.kube.health import Health, health
from cli.kube.ownership import owners
from cli.kube.related import Related, gather
from cli.rollout.control import Manifest
from cli.rollout.plan import Key, key
from cli.rollout.records import Workload

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Step

SERVING = ("Deployment", "StatefulSet", "DaemonSet")
_ASK_WHY = 2.0
_TICK = 0.25

Healths = dict[Key, Health]


def places(workloads: Iterable[Workload]) -> list[Key]:
    """The objects of those workloads that keep running, and so can be waited for."""
    return [(workload.kind, workload.namespace, workload.object) for workload in workloads if workload.kind in SERVING]


def rolled_out(
    kube: Kube,
    wanted: Iterable[Key],
    generations: Mapping[Key, int],
    *,
    timeout: float,
    step: Step,
    check: Callable[[], None],
) -> Healths:
    """Waits until all are ready, one has failed for good, or `timeout` seconds are over; gives the last health of each.

    `generations`: what an apply has just answered, so that an older state is not taken for the end. `check` is called
    all along and may raise.
    """
    waiting = _Waiting(kube, list(wanted), generations)
    waiting.start()
    try:
        return waiting.until(time.monotonic() + timeout, step, check)
    finally:
        waiting.stop()


def is_done(found: Healths) -> bool:
    return all(one.ready for one in found.values())


def says(found: Healths) -> str:
    """One line for a progress display: the first that is not ready, and how many more."""
    unready = [(place, one) for place, one in found.items() if not one.ready]
    if not unready:
        return "all ready"
    (_, _, name), one = unready[0]
    text = f"{name}: {one.reason}"
    if one.causes:
        text += f" – {one.causes[0].where}: {one.causes[0].message}"  # noqa: RUF001
    return text + (f" (and {len(unready) - 1} more)" if len(unready) > 1 else "")


class _Waiting:
    def __init__(self, kube: Kube, wanted: list[Key], generations: Mapping[Key, int]) -> None:
        self._kube = kube
        self._generations = generations
        self._events: queue.Queue[tuple[str, Manifest]] = queue.Queue()
        self._stopped = threading.Event()
        self._live: dict[Key, Manifest] = {}
        self._found: Healths = {place: Health(False, reason="not seen yet") for place in wanted}

    def start(self) -> None:
        for kind, namespace in sorted({(kind, namespace) for kind, namespace, _ in self._found}):
            threading.Thread(target=self._watch, args=(kind, namespace), daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def until(self, deadline: float, step: Step, check: Callable[[], None]) -> Healths:
        next_why = time.monotonic() + _ASK_WHY
        while not is_done(self._found) and time.monotonic() < deadline:
            check()
            self._take()
            if time.monotonic() >= next_why:
                next_why = time.monotonic() + self._explain()
            step.update(says(self._found))
            if any(one.failed for one in self._found.values()):
                break
        return self._found

    def _watch(self, kind: str, namespace: str) -> None:
        """A watch that ends or fails, however it does, is made again; the thread dies with the process."""
        while not self._stopped.is_set():
            try:
                for what, obj in self._kube.watch("apps/v1", kind, namespace):
                    if self._stopped.is_set():
                        return
                    self._events.put((what, {"apiVersion": "apps/v1", "kind": kind, **obj}))
            except Exception:
                self._stopped.wait(0.5)

    def _take(self) -> None:
        """All that came, waiting a tick for the first."""
        try:
            self._see(*self._events.get(timeout=_TICK))
            while True:
                self._see(*self._events.get_nowait())
        except queue.Empty:
            return

    def _see(self, what: str, obj: Manifest) -> None:
        place = key(obj)
        if what == "DELETED" and place in self._found:
            self._live.pop(place, None)
            self._found[place] = Health(False, reason="deleted by somebody else")
            return
        if place not in self._found or obj["metadata"].get("generation", 0) < self._generations.get(place, 0):
            return
        self._live[place] = obj
        found, known = judged(obj), self._found[place]
        self._found[place] = (
            found if found.ready or not known.causes else Health(False, found.failed, found.reason, known.causes)
        )

    def _explain(self) -> float:
        """Asks why the first few are not ready; returns the seconds until it is worth asking again."""
        began = time.monotonic()
        unready = [place for place, one in self._found.items() if not one.ready and place in self._live]
        for place in unready[:3]:
            self._found[place] = explained(self._kube, self._live[place])
        return max(_ASK_WHY, 10 * (time.monotonic() - began))


def explained(kube: Kube, live: Manifest) -> Health:
    """The health of a live object with its causes: events, last log lines."""
    try:
        return judged(live, kube.run(gather(kube.server, live)))
    except TurnoutError:
        return judged(live)


def judged(live: Manifest, about: Related | None = None) -> Health:
    """Whether a live object is rolled out. What is paused counts as ready elsewhere, but its old pods serve on."""
    found, spec = health(live, about), live.get("spec") or {}
    if not found.ready or not spec.get("paused"):
        return found
    rest = health(_resumed(live), about)
    return rest if rest.ready else Health(False, reason=f"{_paused(live)}: {rest.reason}")


def _resumed(live: Manifest) -> Manifest:
    status = live["status"]
    said = [row for row in status.get("conditions") or [] if row.get("reason") != "DeploymentPaused"]
    return {**live, "spec": {**live["spec"], "paused": False}, "status": {**status, "conditions": said}}


def _paused(live: Manifest) -> str:
    """Who paused it, and how that ends."""
    kind, namespace, name = key(live)
    who = owners(live["metadata"].get("managedFields") or [], ("spec", "paused"))
    by = f" by {', '.join(who)}" if who else ""
    return f"paused{by} (kubectl rollout resume {kind.lower()}/{name} -n {namespace})"
