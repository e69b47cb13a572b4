"""A freeze stops a command before anything is touched, unless somebody says why not."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands import destroy, rollout, up
from cli.errors import Refused
from cli.rollout import audit, freezing, where

ROOT = Path(__file__).parents[3]
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=UTC)
FREEZE = """  turnout:rollout:
    freeze:
      - { weekly: "Fri 16:00", until: "Mon 07:00", time_zone: Europe/Berlin, reason: weekend }
"""
ALWAYS = """  turnout:rollout:
    freeze:
      - { weekly: "Mon 00:00", until: "Mon 00:00", reason: the great migration }
"""


def project(folder: Path, freeze: str) -> Path:
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    (folder / "Pulumi.dev.yaml").write_text((ROOT / "Pulumi.dev.yaml").read_text().rstrip() + "\n" + freeze)
    return folder


def test_refusal_names_window_reason_end_and_both_ways_on(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        freezing.must_be_open(project(tmp_path, FREEZE), "dev", "turnout up dev", now=SATURDAY)
    assert refused.value.exit_code == 4
    assert refused.value.why == "Fri 2026-11-20 16:00 CET to Mon 2026-11-23 07:00 CET: weekend"
    assert refused.value.next.startswith("wait until 2026-11-23 07:00 CET; if it cannot wait: turnout up dev --over")


def test_outside_of_it_nothing_stops(tmp_path: Path) -> None:
    root = project(tmp_path, FREEZE)
    assert freezing.must_be_open(root, "dev", "turnout up dev", now=datetime(2026, 11, 23, 6, tzinfo=UTC)) is None
    assert freezing.must_be_open(None, "dev", "turnout up dev", now=SATURDAY) is None


def test_override_gives_the_window_and_is_written_down(tmp_path: Path, kube: Any) -> None:
    root = project(tmp_path, FREEZE)
    window = freezing.must_be_open(root, "dev", "turnout up dev", "shop is down", now=SATURDAY)
    assert window
    freezing.overridden(kube, "dev", window, "turnout up dev", "shop is down")
    [entry] = audit.entries(kube, "dev")
    assert (entry.who, entry.what, entry.why) == ("anna", "turnout up dev --override-freeze", "shop is down")
    assert "weekend" in entry.outcome


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (up, ["dev", "--yes"]),
        (destroy, ["dev", "--yes"]),
        (rollout, ["start", "dev", "--yes"]),
        (rollout, ["advance", "dev"]),
    ],
)
def test_command_is_refused_before_the_cluster_is_even_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Any, words: list[str]
) -> None:
    monkeypatch.chdir(project(tmp_path, ALWAYS))
    monkeypatch.setattr(where, "connect", lambda *_: pytest.fail("asked"))
    with pytest.raises(Refused, match="dev is frozen"):
        CliRunner().invoke(command.app, words, catch_exceptions=False)
