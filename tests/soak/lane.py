"""One lane of the soak: an environment that is changed, killed, repaired and compared, again and again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cli.kube.client import Kube
from tests.soak import cluster, compare, processes
from tests.soak.desired import KEY, Shape, wanted
from tests.soak.files import Watcher
from tests.soak.kills import Chooser, Cycle, Kill, Measured, Operation, Phase, Victim, changed
from tests.soak.processes import Process
from tests.soak.project import Command, Done, Project
from tests.soak.proxy import Proxy

ORPHAN_LIMIT = 15.0
"""Seconds within which everything ends that a killed turnout has started."""
SETTLE_LIMIT = 15.0
"""Seconds within which the cluster's own controllers have cleaned up."""
REPAIR_SECONDS = 1.5
"""About what a repair takes: within it, one is killed now and then."""

_ROUND = (
    Operation.CREATE,
    Operation.UPDATE,
    Operation.CREATE,
    Operation.REPLACE,
    Operation.DELETE,
    Operation.MIXED,
    Operation.DESTROY,
)


@dataclass(frozen=True)
class Hit:
    """A kill that happened. `operation` is `repair` for one during the repair."""

    victim: str
    operation: str
    phase: str


@dataclass
class Result:
    """What came of one cycle."""

    cycle: Cycle
    hits: list[Hit] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    commands: list[Done] = field(default_factory=list)
    orphans: float = 0.0
    seconds: float = 0.0
    unknown: int = 0


class Trap:
    """Counts the events of an operation, and acts at one of them. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._phase: Phase | None = None
        self._at = 0
        self._act: Callable[[], bool] = lambda: True
        self.counts: Counter[Phase] = Counter()
        self.sprung = threading.Event()

    def arm(self, phase: Phase | None = None, at: int = 0, act: Callable[[], bool] = lambda: True) -> None:
        """Start counting anew; without a phase only that."""
        with self._guard:
            self._phase, self._at, self._act = phase, at, act
            self.counts.clear()
            self.sprung.clear()

    def tell(self, phase: Phase) -> None:
        """One more event. When its victim does not run yet, the next event is as good."""
        with self._guard:
            self.counts[phase] += 1
            due = phase is self._phase and self.counts[phase] >= self._at and not self.sprung.is_set()
            if due and self._act():
                self.sprung.set()


class Lane:
    """One environment with all that watches it, as a context."""

    def __init__(self, kube: Kube, folder: Path, sandbox: str, environment: str, *, sabotage: str = "") -> None:
        self.kube, self.sabotage = kube, sabotage
        self.trap = Trap()
        self.proxy = Proxy(kube.endpoint, environment, self.trap.tell)
        self.project = Project(folder, sandbox, environment, self.proxy.kubeconfig())
        self.watcher = Watcher(self.project.folders, lambda: self.trap.tell(Phase.FILE))
        self.shape = Shape(deployed=False)
        self.measured: dict[tuple[Operation, bool], Measured] = {}

    def measure(self) -> list[str]:
        """Do every operation once with nobody killed; returns what was wrong even so."""
        for operation in _ROUND:
            shape = changed(self.shape, operation)
            self.trap.arm()
            done = self._begin(operation, shape).done()
            if done.code != 0:
                return [done.told()]
            counts = self.trap.counts
            self.measured[operation, self.shape.deployed] = Measured(
                done.seconds, counts[Phase.WRITE], counts[Phase.FILE]
            )
            self.shape = shape
            if found := self.differences(shape):
                return found
        return []

    def cycle(self, chooser: Chooser) -> Result:
        """One operation with a kill in it, the recovery, and the comparison."""
        chosen = chooser.choose(self.shape)
        return self.carry_out(chosen, self.measured[chosen.operation, chosen.before.deployed])

    def carry_out(self, cycle: Cycle, measured: Measured) -> Result:
        """A cycle that was chosen. `measured`: what its kill's moment is a fraction of."""
        began = time.monotonic()
        result = Result(cycle)
        try:
            self._killed(result, measured)
            if result.hits:
                self._recover(result)
        except ValueError as error:
            result.faults.append(str(error))
        self.shape = result.cycle.goal if result.hits else result.cycle.after
        result.faults += [f"a traceback was shown: {done.told()}" for done in result.commands if done.crashed]
        result.seconds = time.monotonic() - began
        return result

    def _begin(self, operation: Operation, shape: Shape) -> Command:
        if operation is Operation.DESTROY:
            return self.project.start("destroy", "--yes")
        self.project.ask_for(shape)
        return self.project.start("up", "--yes")

    def _killed(self, result: Result, measured: Measured) -> None:
        cycle = result.cycle
        command: list[Command] = []
        family: list[Process] = []

        def strike() -> bool:
            family[:] = processes.below(command[0].pid) if command else []
            return bool(command) and self._strike(command[0].pid, cycle.kill.victim, family)

        self._arm(cycle.kill, measured, strike)
        command.append(self._begin(cycle.operation, cycle.after))
        hit = self._wait_for_kill(command[0], cycle.kill, measured, strike)
        done = command[0].done()
        result.commands.append(done)
        if hit:
            result.hits.append(Hit(cycle.kill.victim, cycle.operation, cycle.kill.phase))
            self._look_at_orphans(result, family)
        elif done.code != 0:
            result.faults.append(f"nobody was killed, and yet: {done.told()}")

    def _arm(self, kill: Kill, measured: Measured, strike: Callable[[], bool]) -> None:
        if kill.phase is Phase.TIME:
            self.trap.arm()
        else:
            self.trap.arm(kill.phase, kill.count(measured), strike)

    def _wait_for_kill(self, command: Command, kill: Kill, measured: Measured, strike: Callable[[], bool]) -> bool:
        if kill.phase is not Phase.TIME:
            command.done()
            return self.trap.sprung.is_set()
        ended = command.ended_within(kill.fraction * measured.seconds)
        while not ended and not strike():
            ended = command.ended_within(0.01)
        return not ended

    @staticmethod
    def _strike(pid: int, victim: Victim, family: list[Process]) -> bool:
        if victim is Victim.TURNOUT:
            if found := processes.look(pid):
                found.kill()
            return found is not None
        chosen = [process for process in family if process.role is victim]
        for process in chosen:
            process.kill()
        return bool(chosen)

    def _look_at_orphans(self, result: Result, family: list[Process]) -> None:
        """What a dead turnout leaves running ends by itself; until then nobody else gets in."""
        if result.cycle.kill.at_once and any(process.runs for process in family):
            self.project.ask_for(result.cycle.goal)
            result.commands.append(self.project.run("up", "--yes"))
        result.orphans, left = processes.seconds_until_gone(family, ORPHAN_LIMIT)
        for process in left:
            result.faults.append(f"still runs {ORPHAN_LIMIT:.0f} s after its turnout was killed: {process.command}")
            process.kill()

    def _recover(self, result: Result) -> None:
        state = self.project.state()
        result.unknown = len((state.get("deployment") or {}).get("pending_operations") or [])
        self.project.ask_for(result.cycle.goal if result.cycle.goal.deployed else result.cycle.before)
        if result.cycle.kill.twice:
            self._kill_repair(result)
        self._must(result, *self._repair())
        if result.cycle.goal.deployed:
            self._must(result, "up", "--yes")
            self._must_be_unchanged(result)
        else:
            self._must(result, "destroy", "--yes")
        self.sabotaged()
        result.faults += self.differences(result.cycle.goal)
        result.faults += [f"the state is still locked: {name}" for name in self.project.locks]

    def _repair(self) -> tuple[str, ...]:
        return ("refresh",) if self.sabotage == "no-repair" else ("repair", "--yes")

    def _kill_repair(self, result: Result) -> None:
        command = self.project.start(*self._repair())
        if command.ended_within(result.cycle.kill.twice * REPAIR_SECONDS):
            return
        family = list(processes.below(command.pid))
        if self._strike(command.pid, Victim.TURNOUT, family):
            result.hits.append(Hit(Victim.TURNOUT, "repair", Phase.TIME))
        result.commands.append(command.done())
        self._look_at_orphans(result, family)

    def _must(self, result: Result, verb: str, *options: str) -> None:
        done = self.project.run(verb, *options)
        result.commands.append(done)
        if done.code != 0:
            result.faults.append(done.told())

    def _must_be_unchanged(self, result: Result) -> None:
        done = self.project.run("preview")
        result.commands.append(done)
        if done.code != 0 or "no changes" not in done.out:
            result.faults.append(f"a preview after the recovery shows changes: {done.told()}")

    def differences(self, shape: Shape, limit: float = SETTLE_LIMIT) -> list[str]:
        """Cluster, state and program compared, once the cluster has cleaned up."""
        state = self.project.state()
        program = wanted(shape, self.project.namespace)
        until = time.monotonic() + limit
        while True:
            found = compare.faults(cluster.listed(self.kube, self.project.namespace), state, program)
            if not found or time.monotonic() > until:
                return found
            time.sleep(0.2)

    def sabotaged(self) -> None:
        """Does behind everybody's back what the comparison has to see."""
        objects = [
            entry
            for entry in cluster.listed(self.kube, self.project.namespace)
            if entry["kind"] == "ConfigMap" and KEY in (entry["metadata"].get("labels") or {})
        ]
        if not objects or self.sabotage not in ("delete", "twice"):
            return
        if self.sabotage == "delete":
            self.kube.delete("v1", "ConfigMap", objects[0]["metadata"]["name"], self.project.namespace)
        else:
            self.kube.create(cluster.copy_of(objects[0]), cluster.MANAGER)
