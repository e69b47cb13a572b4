"""The soak's parts that need no cluster: traps, file events, processes, the summary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.soak import processes, report
from tests.soak.desired import Shape
from tests.soak.files import Watcher
from tests.soak.kills import Cycle, Kill, Operation, Phase, Victim
from tests.soak.lane import Hit, Result, Trap
from tests.soak.report import Report

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def result(*hits: Hit, fault: str = "") -> Result:
    cycle = Cycle(Operation.UPDATE, Shape(), Shape(revision=1), Kill(Victim.ENGINE, Phase.TIME, 0.5))
    return Result(cycle, list(hits), [fault] if fault else [], orphans=2.0, unknown=3)


def test_a_trap_acts_once_at_its_event_or_at_the_next_one_that_finds_its_victim() -> None:
    trap, victims = Trap(), iter([False, True])
    trap.arm(Phase.WRITE, 2, lambda: next(victims))
    for phase in (Phase.WRITE, Phase.FILE, Phase.FILE, Phase.WRITE, Phase.WRITE, Phase.WRITE):
        trap.tell(phase)
    assert trap.sprung.is_set()
    assert next(victims, None) is None
    assert trap.counts == {Phase.WRITE: 4, Phase.FILE: 2}


def test_a_report_counts_and_keeps_what_failed() -> None:
    told = Report("seed")
    told.add(0, 1, result(Hit("turnout", "update", "time"), Hit("turnout", "repair", "time")))
    told.add(1, 1, result(Hit("engine", "update", "write"), fault="an orphan"))
    told.add(1, 2, result())
    found = json.loads(json.dumps(told.to_json()))
    assert (found["kills"], found["cycles"], found["pending_operations"]) == (3, 3, 9)
    assert found["by_victim"] == {"engine": 1, "turnout": 2}
    assert found["by_operation"] == {"repair": 1, "update": 2}
    assert found["orphan_seconds"] == 2.0
    (failure,) = found["failures"]
    assert (failure["seed"], failure["lane"], failure["cycle"], failure["faults"]) == ("seed", 1, 1, ["an orphan"])
    assert failure["kill"]["victim"] == "engine"
    assert report.missing(told.hits, Victim, [Operation.UPDATE, Operation.CREATE]) == ["provider", "create"]
    assert any("failures: 1" in line for line in told.lines())


def test_a_cycle_is_one_line() -> None:
    assert report.line(0, 1, result(fault="bad\nworse")).endswith("FAILED: bad")
    assert "missed" in report.line(0, 1, result())


@linux
def test_changes_of_files_are_told(tmp_path: Path) -> None:
    told = threading.Event()
    with Watcher([tmp_path / "new"], told.set):
        (tmp_path / "new" / "file").write_text("x")
        assert told.wait(10)


@linux
def test_a_process_is_found_below_its_parent_with_its_part_and_is_over_once_killed() -> None:
    code = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        try:
            until = processes.seconds_until_gone
            while not (found := list(processes.below(parent.pid))):
                until([], 0.0)
            (child,) = found
            assert child in list(processes.below(os.getpid()))
            assert child.runs
            assert child.role is None
            child.kill()
            assert until([child], 10)[1] == []
        finally:
            parent.kill()
    assert processes.look(parent.pid) is None


def test_a_process_plays_the_part_that_its_command_says() -> None:
    def role(command: str) -> Victim | None:
        return processes.Process(1, "1", command).role

    assert role("/usr/bin/python3 -m cli.provider") is Victim.PROVIDER
    assert role("/cache/pulumi-1/pulumi up --stack dev") is Victim.ENGINE
    assert role("sleep 60") is None
