"""Many `turnout up` of one environment at once, as processes: one at a time, none hurts the other, losers know why.

`TURNOUT_TEST_CONCURRENT=30` runs as many as that.
"""

from __future__ import annotations

import itertools
import json
import os
import pty
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.small import Small, ended, small

pytestmark = pytest.mark.cluster

MANY = int(os.environ.get("TURNOUT_TEST_CONCURRENT", "6"))
LIMIT = 120.0 + 30.0 * MANY


@pytest.fixture
def project(tmp_path: Path, sandbox: str, kubeconfig: Path) -> Iterator[Small]:
    with small(tmp_path, sandbox, kubeconfig) as project:
        yield project


def at_once(project: Small, *options: str) -> list[subprocess.CompletedProcess[str]]:
    started = [
        project.start("up", project.environment, "--yes", *options, MARK=f"mark-{number}") for number in range(MANY)
    ]
    return [ended(process, LIMIT) for process in started]


def assert_one_at_a_time_and_whole(project: Small, done: list[subprocess.CompletedProcess[str]]) -> None:
    """The engine's runs do not overlap, and state, program and cluster agree."""
    runs = project.history()
    assert len(runs) == sum(process.returncode == 0 for process in done)
    assert all(run["result"] == "succeeded" for run in runs)
    assert all(before["endTime"] <= after["startTime"] for before, after in itertools.pairwise(runs))
    assert project.maps() == project.maps_in_state() != {}
    assert len(set(project.maps().values())) == 1, "one and the same run wrote all of them"
    assert not [file for file in project.locks.glob("*") if file.suffix != ".attrs"]
    [mark] = set(project.maps().values())
    project.run("preview", project.environment, "--exit-code", MARK=mark)
    project.run("up", project.environment, "--yes", MARK="last")
    project.run("preview", project.environment, "--exit-code", MARK="last")


def test_losers_are_told_who_works_and_nothing_is_hurt(project: Small) -> None:
    project.run("up", project.environment, "--yes")
    before = len(project.history())
    done = at_once(project)
    losers = [process for process in done if process.returncode != 0]
    assert len(losers) < MANY, "\n".join(process.stderr for process in losers)
    for process in losers:
        assert process.returncode == 5, process.stderr
        assert f"on {socket.gethostname()} has held it for " in process.stderr
        assert f"turnout up {project.environment} --wait 600" in process.stderr
    print(f"{MANY} at once: {MANY - len(losers)} applied, {len(losers)} were refused")
    assert_one_at_a_time_and_whole(project, [*done, *[ended_well()] * before])


def test_all_get_their_turn_with_wait_also_before_there_is_a_stack(project: Small) -> None:
    done = at_once(project, "--wait", str(LIMIT))
    assert [process.returncode for process in done] == [0] * MANY, "\n".join(process.stderr for process in done)
    assert_one_at_a_time_and_whole(project, done)


def test_previews_at_once_before_there_is_a_stack(project: Small) -> None:
    started = [project.start("preview", project.environment) for _ in range(MANY)]
    done = [ended(process, LIMIT) for process in started]
    assert [process.returncode for process in done] == [0] * MANY, "\n".join(process.stderr for process in done)


def test_the_states_own_lock_is_waited_for_and_named(project: Small) -> None:
    project.run("up", project.environment, "--yes")
    lock = project.locks / "00000000-0000-4000-8000-000000000000.json"
    stamp = datetime.now(UTC).isoformat()
    holder = {"pid": os.getpid(), "username": "ann", "hostname": socket.gethostname(), "timestamp": stamp}
    lock.write_text(json.dumps(holder))
    refused = project.run("up", project.environment, "--yes", expect=5)
    assert f"locked by ann@{socket.gethostname()}, process {os.getpid()}, for " in refused.stderr
    waiting = project.start("up", project.environment, "--yes", "--wait", str(LIMIT))
    assert waiting.stderr
    assert any(f"waiting for the lock of {project.environment}'s state" in line for line in waiting.stderr)
    lock.unlink()
    done = ended(waiting)
    assert done.returncode == 0, done.stderr


def test_a_lock_file_that_is_not_whole_is_named(project: Small) -> None:
    project.run("up", project.environment, "--yes")
    lock = project.locks / "00000000-0000-4000-8000-000000000000.json"
    lock.write_text('{"pid": ')
    os.utime(lock, (0, 0))
    refused = project.run("refresh", project.environment, expect=5)
    assert str(lock) in refused.stderr
    assert f"turnout repair {project.environment}" in refused.stderr
    lock.unlink()


def test_a_dead_lock_is_offered_for_removal_on_a_terminal_and_nowhere_taken_silently(project: Small) -> None:
    project.run("up", project.environment, "--yes")
    lock = dead_lock(project)
    for words in (("up", project.environment, "--yes"), ("refresh", project.environment)):
        assert "nobody holds it any more" in project.run(*words, expect=5).stderr
    assert "Remove it?" in answered(project, "n", expect=5).stdout
    assert lock.exists()
    assert "Remove it?" in answered(project, "y", expect=0).stdout
    assert not lock.exists()


def dead_lock(project: Small) -> Path:
    """One whose process has ended."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    stamp = datetime.now(UTC).isoformat()
    holder = {"pid": gone.pid, "username": "ann", "hostname": socket.gethostname(), "timestamp": stamp}
    lock = project.locks / "00000000-0000-4000-8000-000000000000.json"
    lock.write_text(json.dumps(holder))
    return lock


def answered(project: Small, answer: str, *, expect: int) -> subprocess.CompletedProcess[str]:
    """A refresh on a terminal on which somebody gives that answer."""
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, f"{answer}\n".encode())
        done = ended(project.start_on(terminal, "refresh", project.environment))
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def ended_well() -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 0, "", "")
