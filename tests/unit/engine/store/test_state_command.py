"""What `turnout state` says and ends with, where no cluster is needed."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from cli import context
from cli.commands.state import app
from cli.engine.failures import StackMissing, StateUnreadable
from cli.engine.store import pruning
from cli.errors import UsageError
from tests.unit.engine.store.conftest import PASSPHRASE, Kept


@pytest.fixture
def kept(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(context, "_chosen", kept.folder)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return kept


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, words, catch_exceptions=code == 0)
    assert result.exit_code == code, result.output
    return result


def test_whole_state_is_told_and_a_broken_one_ends_with_1(kept: Kept) -> None:
    with pytest.raises(StackMissing):
        run("verify", "dev", code=1)
    kept.put(kept.bytes("a", "b"))
    assert run("verify", "dev").output == "the state of dev is whole: 2 resources\n"
    kept.put(kept.bytes("a", "b")[:-7])
    assert "ends in the middle" in run("verify", "dev", code=1).output
    assert "next: turnout state restore dev" in run("verify", "dev", code=1).output
    assert json.loads(run("verify", "dev", "--json", code=1).output)["whole"] is False


def test_copies_are_a_table_and_a_document(kept: Kept) -> None:
    kept.put(kept.bytes("a"))
    kept.backup(kept.bytes("a"), 1)
    kept.history(1)
    head, current, backup = run("list", "dev").output.splitlines()
    assert head.split() == ["copy", "taken", "by", "resources", "state"]
    assert current.startswith("current") and current.endswith("whole")
    assert backup.split()[0] == "1" and " up " in backup
    assert [copy["name"] for copy in json.loads(run("list", "dev", "--json").output)] == ["current", "1"]


def test_restore_shows_and_changes_nothing_where_nobody_can_be_asked(kept: Kept) -> None:
    kept.put(kept.bytes("a", "b"))
    kept.backup(kept.bytes("b", "c"), 1)
    shown = run("restore", "dev", code=3).output
    assert "+ ConfigMap c" in shown and "- ConfigMap a" in shown
    assert json.loads(run("restore", "dev", "--json", code=3).output)["restored"] is False
    assert kept.state.read_bytes() == kept.bytes("a", "b")
    kept.backup(b"{", 2)
    with pytest.raises(StateUnreadable, match="nothing was changed"):
        run("restore", "dev", "--from", "1", "--yes", code=1)


def test_prune_shows_first(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BACKUPS_KEPT", 1)
    kept.put(kept.bytes("a"))
    for number in range(3):
        kept.backup(kept.bytes("a"), number)
    assert "2 backups and 0 files" in run("prune", "dev", code=3).output
    assert len(json.loads(run("prune", "dev", "--yes", "--json").output)["backups"]) == 2
    assert "0 backups and 0 files" in run("prune", "dev").output


def test_move_shows_first_and_wants_the_backend_in_the_project(
    kept: Kept, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put(kept.bytes("a"))
    url = f"file://{tmp_path_factory.mktemp('new')}"
    shown = run("move", url, code=3).output
    assert f"+  url: {url}" in shown and "dev: 1 files" in shown
    assert "backend" not in (kept.folder / "Pulumi.yaml").read_text()
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    with pytest.raises(UsageError, match="is set"):
        run("move", url, code=2)


@pytest.mark.usefixtures("kept")
def test_a_services_own_copies_are_pointed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://cloud.invalid/acme")
    for command in ("list", "verify", "restore", "prune"):
        with pytest.raises(UsageError, match="kept by a service"):
            run(command, "dev", code=2)
