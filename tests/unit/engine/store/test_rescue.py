"""What a state that could not be written does not tell, and where its copy goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.engine.events import Done, Started, State, Step
from cli.engine.store import rescue
from tests.unit.engine.store.conftest import Kept

KIND = "kubernetes:core/v1:ConfigMap"
SAID = "failed to save snapshot: no space left on device"


def step(operation: str, name: str) -> Step:
    state = State("", {"metadata": {"name": name}}, {}, retain_on_delete=False, id=name)
    return Step(operation, Kept.config_map(name)["urn"], KIND, state, state, (), None)


def test_engines_own_words_are_known() -> None:
    assert rescue.lost(f"error: update failed\n  {SAID}\n") == SAID
    assert rescue.lost("error: saving backup: no such device")
    assert not rescue.lost("error: resource failed: no space left on device")


def test_what_the_stored_state_tells_already_is_not_told_again(kept: Kept) -> None:
    stored = kept.document("a", "b")["checkpoint"]["latest"]
    steps = [step("create", "a"), step("create", "c"), step("delete", "b"), step("delete", "d"), step("update", "a")]
    assert [(one.operation, one.name) for one in rescue.unsaved(stored, steps)] == [
        ("create", "c"),
        ("delete", "b"),
        ("update", "a"),
    ]


def test_half_of_a_replacement_is_told_apart_from_the_whole(kept: Kept) -> None:
    stored = kept.document("a", "b", "c")["checkpoint"]["latest"]
    old, new, half = stored["resources"][1:]
    new["id"] = "b-2"
    stored["resources"].append({**old, "delete": True})
    half["pendingReplacement"] = True
    steps = [step("delete-replaced", "a"), step("delete-replaced", "b"), step("create-replacement", "c")]
    assert [one.name for one in rescue.unsaved(stored, steps)] == ["a", "c"]
    assert [one.name for one in rescue.unsaved(stored, [step("create-replacement", "b")])] == ["b"]
    assert not rescue.unsaved(stored, [step("create-replacement", "a")])


def test_newest_state_is_kept_with_what_it_does_not_tell(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    ledger = rescue.Ledger()
    ledger.take(Started(step("create", "new")))
    ledger.take(Done(step("create", "new")))
    error = rescue.rescued(kept.place, None, ledger, SAID)
    (file,) = (kept.folder / ".turnout/rescue").glob("dev-*.json")
    assert file.stat().st_mode & 0o077 == 0
    latest = json.loads(file.read_bytes())["checkpoint"]["latest"]
    assert [entry["resource"]["urn"].rpartition("::")[2] for entry in latest["pending_operations"]] == ["new"]
    assert f"--from .turnout/rescue/{file.name}, turnout repair dev" in str(error)
    assert SAID in str(error) and "creating ConfigMap new" in str(error)
    assert kept.place.examine(file.read_bytes()).whole


def test_the_state_before_is_kept_when_the_place_holds_nothing_whole(kept: Kept) -> None:
    kept.put(b'{"version":3,')
    rescue.rescued(kept.place, kept.bytes("a", "b"), rescue.Ledger(), SAID)
    (file,) = (kept.folder / ".turnout/rescue").glob("dev-*.json")
    assert kept.place.examine(file.read_bytes()).resources == 2


def test_project_without_room_leaves_the_copy_elsewhere(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put(kept.bytes("a"))
    (kept.folder / ".turnout/rescue").write_text("a file is in the way")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "elsewhere"))
    assert "elsewhere" in str(rescue.rescued(kept.place, None, rescue.Ledger(), SAID))
    assert list((tmp_path / "elsewhere").glob("turnout-rescue-*/dev-*.json"))


def test_only_the_newest_copies_are_kept(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    for _ in range(rescue.KEPT + 2):
        rescue.rescued(kept.place, None, rescue.Ledger(), SAID)
    assert len(list((kept.folder / ".turnout/rescue").glob("dev-*.json"))) == rescue.KEPT


def test_engines_stamps_are_read() -> None:
    assert rescue.written_at({"manifest": {"time": "2026-11-21T11:17:49.680692209Z"}}) == pytest.approx(1795259869.68)
    assert rescue.written_at({"manifest": {"time": "2026-11-21T12:17:49.6+01:00"}}) == pytest.approx(1795259869.6)
    assert rescue.written_at({}) == 0
