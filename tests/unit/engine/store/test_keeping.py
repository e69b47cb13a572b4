"""What is done about the state around a run: pruned after a success only, and nothing where a service keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.engine.store import pruning, room
from cli.engine.store.keeping import Keeping
from cli.engine.store.rescue import StateLost
from tests.unit.engine.store.conftest import Kept

SAID = ["error: failed to save snapshot: gone"]


def keeping(kept: Kept) -> Keeping:
    found = Keeping(kept.folder, "dev", kept.variables)
    found.begin()
    return found


def backups(kept: Kept) -> int:
    return len(list(kept.state.parents[2].glob("backups/shop/dev/*")))


def test_backups_are_pruned_after_a_success_only(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BACKUPS_KEPT", 2)
    kept.put(kept.bytes("a"))
    for number in range(4):
        kept.backup(kept.bytes("a"), number)
    keeping(kept).end(1, ["error: a resource failed"])
    assert backups(kept) == 4
    keeping(kept).end(0, [])
    assert backups(kept) == 2


def test_pruning_that_fails_does_not_fail_the_run(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BACKUPS_KEPT", 0)
    kept.put(kept.bytes("a"))
    kept.put(b"", "backups/shop/dev/dev.1700000000000000000.json/file")
    keeping(kept).end(0, [])


def test_the_state_from_before_is_at_hand_when_it_is_lost(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    found = keeping(kept)
    kept.state.unlink()
    with pytest.raises(StateLost, match="turnout state restore dev --from"):
        found.end(255, SAID)


def test_a_services_state_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nbackend:\n  url: https://cloud.invalid\n")
    found = Keeping(tmp_path, "dev", {})
    found.begin()
    found.end(1, SAID)
    found.end(0, [])


def test_folder_that_is_not_ours_is_told_with_its_owner(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put(kept.bytes("a"))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(room.NoRoom, match="permission denied\nnext: make it yours: it belongs to user"):
        room.check(kept.folder, "dev", kept.state)
