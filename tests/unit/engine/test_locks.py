from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from cli.engine import locks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    folder = tmp_path / ".turnout/state/.pulumi/locks/organization/shop/dev"
    folder.mkdir(parents=True)
    return folder


def hold(folder: Path, name: str, pid: int, host: str) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"pid": pid, "hostname": host, "username": "ann"}))
    file.with_name(f"{file.name}.attrs").write_text("{}")
    return file


def ended() -> int:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    return child.pid


def test_only_the_lock_of_a_dead_process_of_this_machine_is_cleared(folder: Path, tmp_path: Path) -> None:
    dead = hold(folder, "dead", ended(), socket.gethostname())
    living = hold(folder, "living", os.getpid(), socket.gethostname())
    elsewhere = hold(folder, "elsewhere", ended(), "another-host")
    assert [lock.file for lock in locks.clear_dead(tmp_path, "dev", {})] == [dead]
    assert sorted(folder.iterdir()) == sorted(
        file for kept in (living, elsewhere) for file in (kept, kept.with_name(f"{kept.name}.attrs"))
    )


def test_a_backend_that_is_no_folder_has_no_locks_here(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    assert locks.found(tmp_path, "dev", {"PULUMI_BACKEND_URL": "s3://bucket"}) == []
