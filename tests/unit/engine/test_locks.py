from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.engine import failures, locks
from cli.engine.turns import Turn
from cli.progress import Silent

HERE = socket.gethostname()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    folder = tmp_path / ".turnout/state/.pulumi/locks/organization/shop/dev"
    folder.mkdir(parents=True)
    return folder


def hold(folder: Path, name: str, pid: int, host: str = HERE, taken: str = "") -> Path:
    """`taken`: by default now, which is after the process began."""
    taken = taken or datetime.now(UTC).isoformat()
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"pid": pid, "hostname": host, "username": "ann", "timestamp": taken}))
    file.with_name(f"{file.name}.attrs").write_text("{}")
    return file


def ended() -> int:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    return child.pid


def test_only_the_lock_of_a_dead_process_of_this_machine_is_dead(folder: Path, tmp_path: Path) -> None:
    dead = hold(folder, "dead", ended())
    hold(folder, "living", os.getpid())
    hold(folder, "elsewhere", ended(), "another-host")
    assert [lock.file for lock in locks.dead(tmp_path, "dev", {})] == [dead]
    assert len(locks.found(tmp_path, "dev", {})) == 3, "a sidecar is no lock"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells")
def test_a_process_that_is_over_holds_nothing_even_when_nobody_has_waited_for_it(folder: Path, tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        dead = hold(folder, "zombie", child.pid)
        assert [lock.file for lock in locks.dead(tmp_path, "dev", {})] == [dead]


def test_a_number_that_another_process_was_given_since_holds_nothing(folder: Path, tmp_path: Path) -> None:
    hold(folder, "old", os.getpid(), taken=(datetime.now(UTC) - timedelta(days=300)).isoformat())
    assert [lock.file.stem for lock in locks.dead(tmp_path, "dev", {})] == ["old"]


@pytest.mark.parametrize("text", ["", '{"pid": 4', "[]", '{"pid": "x", "hostname": "h"}', "\0\0\0"])
def test_a_file_that_is_not_whole_is_named_and_dead_only_when_nobody_can_be_writing_it(
    folder: Path, tmp_path: Path, text: str
) -> None:
    file = folder / "1.json.18a.tmp"
    file.write_text(text)
    [lock] = locks.found(tmp_path, "dev", {})
    assert not lock.dead
    assert str(file) in failures.locked("dev", [lock]).what
    os.utime(file, (0, 0))
    assert lock.dead
    assert "turnout repair dev" in failures.locked("dev", [lock]).next


def test_a_lock_is_removed_with_its_sidecar(folder: Path, tmp_path: Path) -> None:
    hold(folder, "dead", ended())
    locks.remove(locks.found(tmp_path, "dev", {})[0])
    assert list(folder.iterdir()) == []


def test_a_backend_that_is_no_folder_has_no_locks_here(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    assert locks.found(tmp_path, "dev", {"PULUMI_BACKEND_URL": "s3://bucket"}) == []


def test_a_living_holder_is_told_with_its_command_and_never_with_its_options(folder: Path, tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-s", "hunter2"], stdin=pipe, stdout=pipe, text=True, bufsize=1) as child:
        assert child.stdin and child.stdout
        try:
            child.stdin.write("echo up\n")
            assert child.stdout.readline() == "up\n", "its command line is there once it runs"
            hold(folder, "living", child.pid)
            [lock] = locks.found(tmp_path, "dev", {})
            assert f"ann@{HERE}, process {child.pid}, for " in lock.who
            assert lock.who.endswith(": sh")
            assert "hunter2" not in lock.who
        finally:
            child.kill()


def turn(root: Path, wait: float = 0, **options: Any) -> Turn:
    return Turn(root, "dev", Silent(), wait=wait, **options)


def test_a_living_lock_is_refused_at_once_and_waited_for_when_asked(folder: Path, tmp_path: Path) -> None:
    file = hold(folder, "living", os.getpid())
    with pytest.raises(failures.StackLocked, match="locked by ann@"):
        turn(tmp_path).come({})
    releasing = subprocess.Popen(["sh", "-c", f"sleep 0.3; rm {file}"])
    turn(tmp_path, wait=30).come({})
    releasing.wait()
    assert not file.exists()


@pytest.mark.parametrize("answer", [None, False, True])
def test_a_dead_lock_is_offered_once_and_never_taken_silently(
    folder: Path, tmp_path: Path, answer: bool | None
) -> None:
    file, asked = hold(folder, "dead", ended()), []

    def offer(lock: locks.Lock) -> bool:
        asked.append(lock.file)
        return bool(answer)

    come = turn(tmp_path, wait=30, offer=None if answer is None else offer).come
    if answer:
        come({})
    else:
        with pytest.raises(failures.StackLocked, match="nobody holds it any more"):
            come({})
    assert (file.exists(), asked) == (not answer, [] if answer is None else [file])


def test_work_that_meets_a_lock_seen_by_the_engine_alone_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.engine.turns._TRY_AGAIN", 0.01)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    refusals = [failures.StackLocked("locked"), failures.StackLocked("locked")]

    def work() -> str:
        if refusals:
            raise refusals.pop()
        return "done"

    with pytest.raises(failures.StackLocked):
        turn(tmp_path).of(work, {})
    assert turn(tmp_path, wait=30).of(work, {}) == "done"
