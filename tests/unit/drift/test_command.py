"""`turnout drift` as a scheduled check calls it: what it posts, says, and ends with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import context
from cli.commands.drift import app
from cli.drift import alerting, looking
from cli.drift.model import Drifted, Fate, Place, Report
from cli.engine import run
from cli.errors import TurnoutError
from cli.rollout import where

ONE = Drifted(Place("apps/v1", "Deployment", "prod", "api-a"), "urn", "app/api", Fate.DELETED)
CALM, FOUND = Report("prod", looked=55), Report("prod", (ONE,), looked=55)
BLIND, HALF_BLIND = Report("prod", looked=12, missed=43), Report("prod", (ONE,), looked=12, missed=43)


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """The alerts that were handed over."""
    alerts: list[dict[str, Any]] = []
    settings = SimpleNamespace(tier="prod", prometheus=SimpleNamespace(runbooks=""))

    @contextmanager
    def connect(_: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(context, "project", lambda: tmp_path)
    monkeypatch.setattr(run, "check_settings", lambda *_: settings)
    monkeypatch.setattr(where, "connect", connect)
    monkeypatch.setattr(alerting, "post", lambda *given: alerts.append(given[2]))
    return alerts


def drift(monkeypatch: pytest.MonkeyPatch, report: Report, *words: str) -> tuple[int, str]:
    """The exit code, and what was said."""
    monkeypatch.setattr(looking, "look", lambda *_: (report, None))
    done = CliRunner().invoke(app, ["prod", *words])
    failed = done.exception if isinstance(done.exception, TurnoutError) else None
    return failed.exit_code if failed else done.exit_code, f"{done.stdout}{failed or ''}"


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [(CALM, 0, "ended"), (FOUND, 3, "raised"), (HALF_BLIND, 3, "raised"), (BLIND, 1, "neither raised nor ended")],
    ids=["no drift", "drift", "drift in what could be read", "not known"],
)
def test_an_alert_is_ended_only_where_there_is_known_to_be_no_drift(
    monkeypatch: pytest.MonkeyPatch, posted: list[dict[str, Any]], report: Report, code: int, said: str
) -> None:
    ended, text = drift(monkeypatch, report, "--alert", "--exit-code")
    assert (ended, f"alert ConfigDrift: {said}" in text) == (code, True), text
    assert len(posted) == (report is not BLIND)


def test_what_is_not_known_is_said_and_fails_whoever_asks_for_an_answer(
    monkeypatch: pytest.MonkeyPatch, posted: list[dict[str, Any]]
) -> None:
    told = "not known whether there is drift: 43 objects could not be read"
    for words, code in (((), 0), (("--exit-code",), 1), (("--alert",), 1)):
        ended, text = drift(monkeypatch, BLIND, *words)
        assert (ended, told in text) == (code, True), words
        assert "no drift in" not in text
    assert posted == []
