"""A move between places: everything comes along, and one that is cut off changes nothing."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cli.engine.failures import StackLocked, StateUnreadable
from cli.engine.store import bucket, move
from cli.engine.store.bucket import Folder
from cli.engine.store.move import Plan
from cli.errors import UsageError
from tests.unit.engine.store.conftest import Kept


def filled(kept: Kept) -> None:
    kept.put(kept.bytes("a", "b"))
    kept.put(kept.bytes("a"), "stacks/shop/dev.json.bak")
    kept.put(b'{"version":1,"tags":{"team":"web"}}', "stacks/shop/dev.pulumi-tags")
    kept.put(b"version: 1\n", "meta.yaml")
    kept.put(kept.bytes("z"), "stacks/other/dev.json")
    for number in range(3):
        kept.backup(kept.bytes("a"), number)
        kept.history(number)


def planned(kept: Kept, to: Path) -> Plan:
    return move.prepare(kept.folder, f"file://{to}", kept.variables)


def moved(plan: Plan) -> list[str]:
    told: list[str] = []
    with move.locked(plan):
        move.carry_out(plan, told.append)
    return told


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_everything_of_the_project_comes_along_and_the_old_place_stays(kept: Kept, tmp_path: Path) -> None:
    filled(kept)
    old = kept.folder / ".turnout/state"
    before = files(old)
    plan = planned(kept, tmp_path / "new")
    assert plan.environments == ("dev",)
    assert moved(plan)[-1] == "dev: 11 of 12 files"
    expected = {name: data for name, data in before.items() if "/other/" not in name}
    assert files(tmp_path / "new") == expected
    assert files(old) == before, "locks on both sides are gone, too"


def test_cut_off_move_is_invisible_and_can_be_done_again(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(kept)
    plan = planned(kept, tmp_path / "new")
    write = Folder.write

    def failing(self: Folder, key: str, data: bytes) -> None:
        if key.endswith("dev.json.bak"):
            raise KeyboardInterrupt
        write(self, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            moved(plan)
    assert not (tmp_path / "new/.pulumi/stacks/shop/dev.json").exists(), "the engine sees no stack there"
    assert not list((tmp_path / "new").glob(".pulumi/locks/**/*.json"))
    kept.put(kept.bytes("a", "b", "c"))
    moved(planned(kept, tmp_path / "new"))
    assert (tmp_path / "new/.pulumi/stacks/shop/dev.json").read_bytes() == kept.bytes("a", "b", "c")


def test_lock_that_a_killed_move_left_there_is_offered_never_taken(kept: Kept, tmp_path: Path) -> None:
    filled(kept)
    dead = {"pid": 2**22 - 1, "username": "ann", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}
    lock = tmp_path / "new/.pulumi/locks/organization/shop/dev/left.json"
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps(dead))
    plan = planned(kept, tmp_path / "new")
    with pytest.raises(StackLocked, match=r"ann@.*/new.*\n.*\n.*without --yes"):
        moved(plan)
    with pytest.raises(StackLocked), move.locked(plan, lambda found: found.user != "ann"):
        pass
    with move.locked(plan, lambda found: found.user == "ann"):
        assert not lock.exists()
    assert not list(tmp_path.glob("**/locks/**/*.json")), "nor is one of ours left"


def test_an_earlier_state_of_its_own_there_is_no_obstacle_and_another_one_is(kept: Kept, tmp_path: Path) -> None:
    filled(kept)
    moved(planned(kept, tmp_path / "new"))
    kept.backup(kept.bytes("a", "b"), 9)
    kept.put(kept.bytes("c"))
    moved(planned(kept, tmp_path / "new"))
    (tmp_path / "new/.pulumi/stacks/shop/dev.json").write_bytes(kept.bytes("x"))
    with pytest.raises(StateUnreadable, match="another state of dev"):
        planned(kept, tmp_path / "new")


def test_place_that_does_not_keep_what_it_takes_is_noticed(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(kept)
    plan = planned(kept, tmp_path / "new")
    write = Folder.write
    monkeypatch.setattr(Folder, "write", lambda self, key, data: write(self, key, data[:-1] if ".bak" in key else data))
    with pytest.raises(StateUnreadable, match=r"dev.json.bak is not the same"):
        moved(plan)


def test_what_cannot_be_moved_is_refused(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no state"):
        planned(kept, tmp_path / "new")
    filled(kept)
    with pytest.raises(UsageError, match="already"):
        planned(kept, kept.folder / ".turnout/state")
    with pytest.raises(UsageError, match="no place for state"):
        move.prepare(kept.folder, "ftp://there", kept.variables)
    kept.put(kept.bytes("a")[:-4])
    with pytest.raises(StateUnreadable, match="broken: nothing was moved"):
        planned(kept, tmp_path / "new")


def test_cut_off_operations_are_settled_before_a_service_takes_over(kept: Kept) -> None:
    document: dict[str, Any] = kept.document("a")
    latest = document["checkpoint"]["latest"]
    latest["pending_operations"] = [{"type": "updating", "resource": latest["resources"][1]}]
    kept.put(json.dumps(document).encode())
    with pytest.raises(Exception, match="a service does not take them over"):
        move.prepare(kept.folder, "https://cloud.invalid", kept.variables)


def test_places_are_told_by_their_url(tmp_path: Path) -> None:
    assert isinstance(bucket.open_bucket(f"file://{tmp_path}?metadata=skip", {}), Folder)
    assert bucket.folder_of("file://~/x?no_tmp_dir=true") == Path.home() / "x"
    assert bucket.open_bucket("https://api.pulumi.com", {}) is None
