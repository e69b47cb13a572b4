"""Processors that stand still, which a stopped watcher is taken for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cli.load.processors import Processors
from tests.harness import ROOT, eventually

_UNTIL_KILLED = """
import time
from cli.load.processors import Processors
with Processors() as processors:
    print(*processors.pids, flush=True)
    time.sleep(300)
"""


def test_a_stall_counts_while_it_lasts_and_afterwards() -> None:
    with Processors() as processors:
        before = processors.stalled()
        os.kill(processors.pids[0], signal.SIGSTOP)
        time.sleep(0.5)
        during = processors.stalled() - before
        os.kill(processors.pids[0], signal.SIGCONT)
        eventually(lambda: processors.stalled() - before >= during, every=0.05)
    assert during > 0.4


def test_no_watcher_outlives_the_block_or_its_process() -> None:
    with Processors() as processors:
        pids = processors.pids
        assert len(pids) == len(os.sched_getaffinity(0))
    assert not any(map(_runs, pids))
    command = [sys.executable, "-c", _UNTIL_KILLED]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pids = tuple(map(int, process.stdout.readline().split()))
        process.kill()
    assert pids
    eventually(lambda: not any(map(_runs, pids)), every=0.05)


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
