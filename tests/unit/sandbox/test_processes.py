"""Programs that outlive their starter: found again, never confused with another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.errors import TurnoutError
from cli.sandbox.processes import Process, Program, Supervisor, start_time, stop
from tests.harness import eventually

SLEEP = ("/bin/sleep", "600")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    found = Supervisor(tmp_path, tmp_path)
    yield found
    found.kill(found.names())


def test_a_program_is_started_once(supervisor: Supervisor) -> None:
    program = Program("sleeper", SLEEP)
    assert supervisor.ensure(program)
    first = supervisor.find("sleeper")
    assert not supervisor.ensure(program)
    assert supervisor.find("sleeper") == first


def test_another_configuration_restarts_it(supervisor: Supervisor) -> None:
    supervisor.ensure(Program("sleeper", SLEEP, "old"))
    first = supervisor.find("sleeper")
    assert supervisor.ensure(Program("sleeper", SLEEP, "new"))
    assert first and not first.alive
    assert supervisor.find("sleeper") != first


def test_it_is_started_again_after_a_kill(supervisor: Supervisor) -> None:
    supervisor.ensure(Program("sleeper", SLEEP))
    first = supervisor.find("sleeper")
    assert first
    first.send(signal.SIGKILL)
    _wait_gone(first)
    assert supervisor.ensure(Program("sleeper", SLEEP))


def test_a_recycled_pid_is_neither_taken_for_ours_nor_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP, start_new_session=True) as stranger:
        try:
            record = {"pid": stranger.pid, "started": "another life", "digest": ""}
            (tmp_path / "sleeper.json").write_text(json.dumps(record))
            assert supervisor.find("sleeper") is None
            supervisor.kill(["sleeper"])
            stop([Process(stranger.pid, "another life")])
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_broken_pid_file_means_that_it_does_not_run(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "sleeper.json").write_text('{"pid": ')
    assert supervisor.find("sleeper") is None


def test_a_program_that_ends_is_explained_by_its_log(supervisor: Supervisor) -> None:
    supervisor.ensure(Program("broken", ("/bin/sh", "-c", "echo cannot bind to port 1; exit 3")))
    _wait_gone(supervisor.find("broken"))
    with pytest.raises(TurnoutError) as raised:
        supervisor.require("broken")
    assert raised.value.why == "cannot bind to port 1"
    assert "broken.log" in raised.value.next


def test_what_ignores_sigterm_is_killed(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.sandbox.processes.TERM_SECONDS", 0.2)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    supervisor.ensure(Program("deaf", (sys.executable, "-c", code)))
    eventually(lambda: "deaf" in supervisor.tail("deaf"), every=0.02)
    process = supervisor.find("deaf")
    assert process
    stop([process])
    assert not process.alive


def test_children_of_a_program_end_with_it(supervisor: Supervisor) -> None:
    supervisor.ensure(Program("parent", ("/bin/sh", "-c", "sleep 600 & echo $!; wait")))
    eventually(lambda: supervisor.tail("parent").strip().isdigit(), "the child's pid", every=0.02)
    child = int(supervisor.tail("parent"))
    supervisor.kill(["parent"])
    eventually(lambda: start_time(child) is None, every=0.02)


def test_programs_get_nothing_of_the_callers_environment(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hunter2")
    supervisor.ensure(Program("env", ("/usr/bin/env",), environment=(("NO_PROXY", "x"),)))
    _wait_gone(supervisor.find("env"))
    said = supervisor.tail("env")
    assert "NO_PROXY=x" in said
    assert "hunter2" not in said


def test_start_time_of_this_process_and_of_none() -> None:
    assert start_time(os.getpid()) == start_time(os.getpid()) is not None
    assert start_time(2**22 + 1) is None


def _wait_gone(process: Process | None) -> None:
    eventually(lambda: not (process and process.alive), f"{process} has ended", every=0.02)
