from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cli.engine import process
from cli.engine.binary import Binary
from cli.engine.process import Running
from cli.engine.run import Engine
from cli.errors import Interrupted
from cli.progress import Silent
from tests.harness import eventually

HERE = Path(__file__).parent


def running(script: str) -> Running:
    return Running(["sh", "-c", script], cwd=HERE, env={"PATH": "/usr/bin:/bin"})


def wait_for(marker: Path) -> None:
    eventually(marker.exists, f"{marker.name} is there", every=0.01)


def test_both_outputs_are_gathered_whole() -> None:
    with running("seq 1 60000; echo bad >&2; exit 3") as child:
        finished = child.wait()
    assert (finished.code, finished.err, finished.interrupted) == (3, "bad\n", False)
    assert finished.out.endswith("59999\n60000\n")
    assert finished.out.startswith("1\n2\n")


def test_the_first_interruption_asks_to_stop(tmp_path: Path) -> None:
    marker = tmp_path / "ready"
    with running(f"trap 'echo stopping; exit 4' INT; touch {marker}; while :; do sleep 0.05; done") as child:
        wait_for(marker)
        child.interrupt()
        finished = child.wait()
    assert (finished.code, finished.out, finished.interrupted) == (4, "stopping\n", True)


def test_the_second_interruption_ends_what_does_not_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "AT_ONCE_LIMIT", 0.2)
    marker = tmp_path / "ready"
    with running(f"trap '' INT; touch {marker}; while :; do sleep 0.05; done") as child:
        wait_for(marker)
        child.interrupt()
        child.interrupt()
        with pytest.raises(Interrupted) as stopped:
            child.wait("dev")
        assert "turnout repair dev" in stopped.value.next


def test_leaving_the_block_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_LIMIT", 0.2)
    marker = tmp_path / "alive"
    with pytest.raises(ValueError, match="given up"), running(f"trap '' INT; while :; do touch {marker}; done"):
        wait_for(marker)
        raise ValueError("given up")
    marker.unlink()
    time.sleep(0.2)
    assert not marker.exists()


def kill_driver_of(script: str, ready: Path) -> None:
    """Another process runs an engine; it is killed when that one is ready."""
    code = f"""
from pathlib import Path
from cli.engine.process import Running
from cli.engine.run import Engine
with Running(["sh", "-e", "-c", {script!r}], cwd=Path("/"), env={{"PATH": "/usr/bin:/bin"}}) as child:
    child.wait()
"""
    with subprocess.Popen([sys.executable, "-c", code]) as driver:
        wait_for(ready)
        driver.kill()


def test_an_engine_outlives_a_driver_that_was_killed_and_ends_its_work(tmp_path: Path) -> None:
    ready, done = tmp_path / "ready", tmp_path / "done"
    script = f"trap '' INT; touch {ready}; sleep 0.3; echo out; echo err >&2; echo out; touch {done}"
    kill_driver_of(script, ready)
    wait_for(done)


def test_an_engine_whose_driver_was_killed_is_asked_to_stop(tmp_path: Path) -> None:
    ready, stopped = tmp_path / "ready", tmp_path / "stopped"
    kill_driver_of(f"trap 'touch {stopped}; exit' INT; touch {ready}; sleep 60 & wait", ready)
    wait_for(stopped)


def test_an_interruption_between_two_starts_of_the_engine_is_not_lost(tmp_path: Path) -> None:
    tool = tmp_path / "pulumi"
    tool.write_text(f"#!/bin/sh\ntrap 'exit 0' INT\ntouch {tmp_path}/ready\nwhile :; do sleep 0.05; done\n")
    tool.chmod(0o755)

    usual = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        wait_for(tmp_path / "ready")
        eventually(lambda: signal.getsignal(signal.SIGINT) is not usual, every=0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(Interrupted, match="dev: interrupted"):
        Engine(tmp_path, "dev", Silent())._query(Binary(tool, "3.259.0"), dict(os.environ), ["stack", "init"])
