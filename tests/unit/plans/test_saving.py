"""When a preview is saved as a plan, and when it is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.commands import preview
from cli.engine.model import Mode
from cli.errors import Refused
from cli.plans import saving
from cli.plans.saving import Order
from cli.review import planned
from cli.review.planned import failed


def order(folder: Path) -> Order:
    return Order(folder / "dev.plan", "dev", timedelta(hours=24))


def test_a_preview_that_failed_saves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan that lay there stays: nobody is told to apply an empty one."""
    asked: list[Any] = []
    monkeypatch.setattr(saving, "save", lambda *given: asked.append(given))
    review = planned.reviewed(failed("dev", Mode.LIVE, Refused("release 3 is pinned out")))
    preview.keep(order(tmp_path), review)
    assert asked == []
    assert capsys.readouterr().err == f"{tmp_path / 'dev.plan'} was not saved: there is no plan\n"
