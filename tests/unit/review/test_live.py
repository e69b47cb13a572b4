"""What a live preview says of what it asked the cluster beside the plan."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.drift import looking, notice
from cli.engine import run
from cli.engine.failures import StackMissing
from cli.errors import TurnoutError
from cli.progress import Silent
from cli.review import live
from cli.rollout import debts, possible, traps, where
from tests.unit.review.builder import plan


class Engine:
    """Previews nothing."""

    def __init__(self, root: Path, environment: str, _: Any) -> None:
        self.root, self.environment = root, environment

    def preview(self, _: Any) -> Any:
        return plan()


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that answers every question, and has nothing to tell."""

    @contextmanager
    def connect(_: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(where, "connect", connect)
    monkeypatch.setattr(run, "Engine", Engine)
    monkeypatch.setattr(live, "_copies", lambda _: [])
    monkeypatch.setattr(live, "_left_open", lambda _: [])
    monkeypatch.setattr(live, "_A_MOMENT", 5.0)
    monkeypatch.setattr(traps, "server", lambda _: None)
    monkeypatch.setattr(traps, "found", lambda *_: [])
    monkeypatch.setattr(debts, "owed", lambda *_: None)
    monkeypatch.setattr(possible, "likeliest", lambda *_, **__: "")
    monkeypatch.setattr(notice, "question", lambda *_: lambda _: "")


def said(folder: Path) -> list[tuple[str, str]]:
    return [(one.severity, one.message) for one in live.plan(folder, "prod", (), Silent()).diagnostics]


def failing(*_: Any, **__: Any) -> Any:
    raise TurnoutError("nobody answers")


def test_nothing_is_said_where_there_is_nothing(tmp_path: Path) -> None:
    assert said(tmp_path) == []


def test_a_question_without_an_answer_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(notice, "question", lambda *_: failing)
    monkeypatch.setattr(debts, "owed", failing)
    monkeypatch.setattr(possible, "likeliest", failing)

    assert said(tmp_path) == [
        ("info", "drift was not looked for: nobody answers"),
        ("info", "whether the state knows of the last rollback was not looked for: nobody answers"),
        ("info", "whether a rollback will be possible was not looked for: nobody answers"),
    ]


def test_an_answer_that_comes_too_late_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    late = threading.Event()
    monkeypatch.setattr(live, "_A_MOMENT", 0.0)
    monkeypatch.setattr(notice, "question", lambda *_: lambda _: late.wait(60) and "drift")
    try:
        assert ("info", "drift was not looked for: no answer came in time") in said(tmp_path)
    finally:
        late.set()


def test_where_nothing_was_applied_nothing_has_drifted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def never(*_: Any) -> Any:
        raise StackMissing("nothing was applied to prod yet")

    monkeypatch.undo()
    monkeypatch.setattr(looking, "look", never)
    kube: Any = None
    assert notice.question(tmp_path, "prod")(kube) == ""
