"""Kill engine, provider and turnout at random points; nothing may be lost or made twice."""

from __future__ import annotations

import argparse
import secrets
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from cli import paths
from cli.kube.client import Kube
from cli.kube.config import endpoint
from tests.harness import ROOT
from tests.soak import report, result
from tests.soak.cluster import namespace
from tests.soak.kills import Chooser, Operation, Victim
from tests.soak.lane import Lane
from tests.soak.report import Report

FOLDER = paths.work_dir(ROOT) / "soak"
SABOTAGE = ("no-repair", "delete", "twice")


class Soak:
    """Lanes side by side, until there were enough kills."""

    def __init__(self, asked: argparse.Namespace, sandbox: str) -> None:
        self.asked, self.sandbox = asked, sandbox
        self.began = time.monotonic()
        self.report = Report(asked.seed)
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._cycles = [0] * asked.lanes

    def run(self) -> None:
        shutil.rmtree(FOLDER, ignore_errors=True)
        with ThreadPoolExecutor(self.asked.lanes) as pool:
            try:
                list(pool.map(self._lane, range(self.asked.lanes)))
            finally:
                self._stop.set()

    def _lane(self, lane: int) -> None:
        """A lane after a failure is another one: what the failure left behind does not count twice."""
        chooser = Chooser(f"{self.asked.seed}/{lane}")
        with Kube(endpoint(paths.sandbox_kubeconfig(self.sandbox))) as kube:
            while not self._over():
                environment = f"soak{secrets.token_hex(3)}"
                one = Lane(kube, FOLDER / environment, self.sandbox, environment, sabotage=self.asked.sabotage)
                with namespace(kube, one.project.namespace, one.project.control), one.proxy, one.watcher:
                    self._cycle_until_failed(lane, one, chooser)

    def _cycle_until_failed(self, lane: int, one: Lane, chooser: Chooser) -> None:
        if wrong := one.measure():
            raise RuntimeError("nobody was killed, and yet:\n" + "\n".join(wrong))
        while not self._over():
            done = one.cycle(chooser)
            with self._guard:
                self._cycles[lane] += 1
                self.report.add(lane, self._cycles[lane], done)
                self._tell(f"{report.line(lane, self._cycles[lane], done)}")
                self._save()
            if done.faults:
                self._tell("\n".join(f"  {fault}" for fault in done.faults))
                return

    def _over(self) -> bool:
        late = time.monotonic() - self.began > self.asked.minutes * 60
        enough = len(self.report.hits) >= self.asked.kills or len(self.report.failures) >= self.asked.failures
        return bool(late or enough or self._stop.is_set())

    def _tell(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s, {len(self.report.hits)} kills] {text}", flush=True)

    def _save(self) -> None:
        self.report.seconds = time.monotonic() - self.began
        result.merge(self.report.to_json())


def kill(asked: argparse.Namespace, sandbox: str) -> list[str]:
    """The whole part; what falls short."""
    print(f"seed {asked.seed}", flush=True)
    soak = Soak(asked, sandbox)
    try:
        soak.run()
    except KeyboardInterrupt:
        print("stopped")
    print("\n".join(soak.report.lines()))
    wrong = [f"{len(soak.report.failures)} cycles failed"] if soak.report.failures else []
    short = asked.kills - len(soak.report.hits)
    if short > 0:
        return [*wrong, f"{short} kills too few: out of time, or too many failures"]
    if left := report.missing(soak.report.hits, Victim, Operation):
        print(f"never hit: {', '.join(left)}")
    return wrong
