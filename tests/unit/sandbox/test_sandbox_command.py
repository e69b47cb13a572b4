"""`turnout sandbox`, without a sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.sandbox import app
from cli.errors import TurnoutError, UsageError

COMMANDS = ("up", "down", "status", "images", "kubeconfig")


@pytest.fixture(autouse=True)
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNOUT_STATE", str(tmp_path))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    said = CliRunner().invoke(app, [command, "--help"])
    assert said.exit_code == 0
    assert "Example: " in said.output
    assert "--json" in said.output


@pytest.mark.parametrize("command", ["status", "images", "kubeconfig"])
def test_a_sandbox_that_is_not_there_is_named_with_the_command_that_makes_it(command: str) -> None:
    raised = CliRunner().invoke(app, [command, "ci"]).exception
    assert isinstance(raised, TurnoutError)
    assert (raised.what, raised.next) == ("there is no sandbox ci", "turnout sandbox up ci")


def test_down_of_nothing_does_nothing() -> None:
    assert json.loads(CliRunner().invoke(app, ["down", "ci", "--json"]).stdout) == {"name": "ci", "removed": False}
    assert json.loads(CliRunner().invoke(app, ["down", "--all", "--json"]).stdout) == []


@pytest.mark.parametrize("words", [["up", "--pods", "some"], ["up", "--with", "istio"], ["up", "Not A Name"]])
def test_wrong_use_is_refused_before_anything_is_done(words: list[str], tmp_path: Path) -> None:
    assert isinstance(CliRunner().invoke(app, words).exception, UsageError)
    assert not [*tmp_path.iterdir()]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; import cli.commands.sandbox; "
        "print(*[m for m in ('cryptography', 'lightkube', 'httpx2', 'pulumi') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == ""


def test_down_of_all_goes_on_after_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.sandbox import cluster

    def down(name: str, _: object) -> bool:
        if name == "a":
            raise TurnoutError("a does not end")
        return True

    for name in ("a", "b"):
        (tmp_path / "sandboxes" / name).mkdir(parents=True)
    monkeypatch.setattr(cluster, "down", down)
    done = CliRunner().invoke(app, ["down", "--all", "--json"])
    assert json.loads(done.stdout) == [{"name": "b", "removed": True}]
    assert isinstance(done.exception, TurnoutError)


def test_one_unreadable_sandbox_does_not_hide_the_others() -> None:
    from cli.sandbox import layout

    good, bad = layout.Layout("good"), layout.Layout("bad")
    for one in (good, bad):
        one.make()
    good.remember(layout.Settings("good", "simulated", "10.64"))
    bad.settings_file.write_text("{")
    assert [one.name for one, _ in layout.known()] == ["good"]
