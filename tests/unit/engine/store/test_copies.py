"""Copies of a state: listed, restored, pruned, on a folder as the engine leaves it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from cli.engine import environ
from cli.engine.failures import StackLocked, StateUnreadable
from cli.engine.store import copies, held, pruning, restore
from cli.engine.store.bucket import Folder, Object
from cli.errors import UsageError
from tests.unit.engine.store.conftest import Kept

DAY = 86400


def names(kept: Kept) -> list[tuple[str, str, int, bool]]:
    return [(copy.name, copy.kind, copy.resources, copy.whole) for copy in copies.every(kept.place)]


def test_every_copy_is_listed_with_what_is_in_it(kept: Kept) -> None:
    kept.put(kept.bytes("a", "b", "c"))
    kept.put(b"{", "stacks/shop/dev.json.bak")
    kept.put(b"{", "stacks/shop/dev.json.attrs")
    kept.backup(kept.bytes("a"), 1)
    kept.history(1)
    kept.backup(kept.bytes("a", "b")[:-9], 2)
    kept.history(2, "destroy", "failed")
    kept.backup(kept.bytes("a", "b"), 3)
    kept.put(b"{}", "backups/shop/dev/dev.1700000003000000000.json.attrs")
    kept.put(b"", "backups/shop/dev/fileblob3861002511")
    assert names(kept) == [
        ("current", "", 3, True),
        ("bak", "", 0, False),
        ("1", "", 2, True),
        ("2", "destroy (failed)", 0, False),
        ("3", "up", 1, True),
    ]


def test_nothing_is_listed_as_nothing(kept: Kept) -> None:
    assert names(kept) == [("current", "", 0, False)]


def test_newest_whole_copy_is_put_back_and_nothing_is_lost(kept: Kept) -> None:
    broken = kept.bytes("a", "b")[:-20]
    kept.put(broken)
    kept.put(b"{}", "stacks/shop/dev.json.attrs")
    kept.backup(kept.bytes("a"), 1)
    kept.backup(broken, 2)
    wanted = restore.prepare(kept.place)
    assert (wanted.source, len(wanted.appearing), wanted.disappearing) == ("backup 2", 2, ())
    backup = restore.carry_out(kept.place, wanted)
    assert kept.state.read_bytes() == kept.bytes("a")
    assert not kept.state.with_name("dev.json.attrs").exists(), "a sidecar would speak of the old bytes"
    assert kept.place.bucket.read(backup) == broken
    assert not list(kept.state.parents[2].glob("locks/**/*.json"))


def test_what_a_restore_changes_is_told_by_resource(kept: Kept) -> None:
    before = kept.document("a", "b")["checkpoint"]["latest"]
    after = kept.document("b", "c")["checkpoint"]["latest"]
    after["resources"][1]["outputs"] = {"x": 1}
    after["resources"][2]["modified"] = "2026-01-01T00:00:00Z"
    found = [[urn.rpartition("::")[2] for urn in urns] for urns in restore.compare(before, after)]
    assert found == [["c"], ["a"], ["b"]]


def test_current_state_is_not_its_own_replacement(kept: Kept) -> None:
    kept.put(kept.bytes("a", "b"))
    kept.backup(kept.bytes("a"), 1)
    kept.backup(kept.bytes("a", "b"), 2)
    assert restore.prepare(kept.place).source == "backup 2"
    assert restore.prepare(kept.place, "1").empty


@pytest.mark.parametrize("damage", ["truncated", "edited", "other passphrase"])
def test_a_copy_that_is_not_whole_is_refused_with_nothing_changed(
    kept: Kept, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = kept.bytes("a")
    kept.put(good)
    sealed = kept.bytes("b", secret=kept.crypter.encrypt("1"))
    bad = {"truncated": sealed[:-5], "edited": sealed.replace(b"v3.259.0", b"v3.1.0"), "other passphrase": sealed}[
        damage
    ]
    kept.backup(bad, 1)
    if damage == "other passphrase":
        monkeypatch.setattr(Kept, "variables", {"PULUMI_CONFIG_PASSPHRASE": "wrong"})
    before = _files(kept.folder)
    with pytest.raises(StateUnreadable, match="nothing was changed"):
        restore.prepare(kept.place, "1")
    with pytest.raises(StateUnreadable, match="no other whole copy"):
        restore.prepare(kept.place)
    assert _files(kept.folder) == before


def test_a_state_that_moved_on_is_not_overwritten(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    kept.backup(kept.bytes("b"), 1)
    wanted = restore.prepare(kept.place)
    kept.put(kept.bytes("c"))
    with pytest.raises(StateUnreadable, match="has changed since"):
        restore.carry_out(kept.place, wanted)
    assert kept.state.read_bytes() == kept.bytes("c")


def test_a_restore_waits_for_nobody_and_takes_no_lock_away(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    kept.backup(kept.bytes("b"), 1)
    wanted = restore.prepare(kept.place)
    with held.lock(kept.place), pytest.raises(StackLocked), held.lock(kept.place):
        pass
    with held.lock(kept.place), pytest.raises(StackLocked, match=str(os.getpid())):
        restore.carry_out(kept.place, wanted)
    assert kept.state.read_bytes() == kept.bytes("a")


def test_lock_is_looked_for_before_and_after_ones_own_is_written(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = f"{kept.place.stack.locks}theirs.json"
    write = Folder.write
    written: list[str] = []

    def writing(self: Folder, key: str, data: bytes) -> None:
        written.append(key)
        write(self, theirs, data)
        write(self, key, data)

    monkeypatch.setattr(Folder, "write", writing)
    with pytest.raises(StackLocked), held.lock(kept.place):
        pytest.fail("somebody who came between the two looks has it")
    assert [entry.key for entry in kept.place.bucket.find(kept.place.stack.locks)] == [theirs]
    with pytest.raises(StackLocked), held.lock(kept.place):
        pass
    assert len(written) == 1, "whoever holds it never sees ours"


def test_file_and_packed_state(kept: Kept, tmp_path: Path) -> None:
    kept.state.parent.mkdir(parents=True)
    packed = kept.state.with_name("dev.json.gz")
    packed.write_bytes(gzip.compress(kept.bytes("a")))
    export = tmp_path / "export.json"
    export.write_bytes(kept.bytes("b"))
    restore.carry_out(kept.place, restore.prepare(kept.place, str(export)))
    assert gzip.decompress(packed.read_bytes()) == kept.place.examine(kept.bytes("b")).encoded(kept.place.stack)
    assert not kept.state.exists()
    with pytest.raises(UsageError, match="no such file"):
        restore.prepare(kept.place, "7")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def dated(days: list[float], now: float) -> list[Object]:
    return [Object(f"dev.{int((now - day * DAY) * 1e9)}.json", 1, 0) for day in days]


def test_newest_and_young_ones_are_kept() -> None:
    now = 1_800_000_000.0
    entries = dated([0.5, 1, 2, 20, 30, 40], now)
    assert pruning.surplus(entries, now, kept=4, days=14) == sorted(entries[4:], key=lambda entry: entry.key)
    assert pruning.surplus(entries, now, kept=0, days=14) == sorted(entries[3:], key=lambda entry: entry.key)
    assert pruning.surplus(entries, now, kept=9, days=14) == []
    assert pruning.surplus([Object("dev.json", 1, 0)], now, kept=0, days=0) == []


def test_last_whole_one_is_never_deleted() -> None:
    now = 1_800_000_000.0
    entries = dated([1, 2, 30, 40, 50], now)
    doomed = pruning.surplus(entries, now, kept=2, days=14)
    assert pruning.sparing(entries, doomed, lambda _: True) == doomed
    spared = pruning.sparing(entries, doomed, lambda entry: entry in entries[3:])
    assert entries[3] not in spared and len(spared) == 2


def test_prune_deletes_backups_and_history_with_their_sidecars(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BACKUPS_KEPT", 2)
    for number in range(5):
        file = kept.backup(kept.bytes("a") if number == 1 else b"{", number)
        file.with_name(f"{file.name}.attrs").write_text("{}")
        kept.history(number)
    found = pruning.prune(kept.place, dry_run=True)
    assert (len(found.backups), len(found.history), found.kept) == (2, 3, 3)
    assert pruning.prune(kept.place) == found
    left = sorted(file.name for file in kept.state.parents[2].glob("backups/shop/dev/*"))
    assert [name.partition(".")[2][8:10] for name in left] == ["01", "01", "03", "03", "04", "04"]
    assert len(list(kept.state.parents[2].glob("history/shop/dev/*.history.json"))) == 5
    assert pruning.prune(kept.place).backups == ()


def test_layout_and_sidecar_faults_are_told(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    kept.put(b"version: 1\n", "meta.yaml")
    assert kept.place.surroundings(kept.place.current()) == []
    kept.put(b'{"user.content_type":', "stacks/shop/dev.json.attrs")
    (problem,) = kept.place.surroundings(kept.place.current())
    assert "dev.json.attrs is not whole" in problem.text and not problem.fatal
    kept.put(b"version: 2\n", "meta.yaml")
    assert "version 2" in kept.place.surroundings(None)[0].text
    (kept.state.parents[2] / "meta.yaml").unlink()
    kept.put(b"{}", "stacks/old.json")
    assert "pulumi state upgrade" in kept.place.surroundings(None)[0].text


def test_place_is_where_the_engine_keeps_it(kept: Kept) -> None:
    file = environ.stack_file(kept.folder, {}, "shop", "dev")
    kept.put(b"{}")
    assert file == kept.state and kept.place.current() == ".pulumi/stacks/shop/dev.json"
