"""`turnout audit`: newest first, for people and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands import audit as command
from cli.rollout import audit, where
from cli.rollout.audit import Entry


@pytest.fixture
def two(kube: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(where, "connect", lambda *_: kube)
    first = Entry("anna", "anna@desk", "turnout up dev", "2026-01-01T10:00:00.000000Z", "more", "abc", "done", "7")
    audit.write(kube, "dev", first)
    audit.write(kube, "dev", Entry("bea", "bea@desk", "turnout rollback dev", "2026-01-01T11:00:00.000000Z"))
    return kube


def run(*words: str) -> str:
    return CliRunner().invoke(command.app, ["dev", *words], catch_exceptions=False).output


@pytest.mark.usefixtures("two")
def test_newest_first_with_who_why_and_outcome() -> None:
    shown = run().splitlines()
    assert shown[0] == "2026-01-01T11:00:00Z  turnout rollback dev: no outcome"
    assert shown[2] == "2026-01-01T10:00:00Z  turnout up dev: done, release 7"
    assert shown[3].strip() == "by anna (anna@desk), commit abc"
    assert shown[4].strip() == "why: more"


@pytest.mark.usefixtures("two")
def test_json_has_every_field() -> None:
    rows = json.loads(run("--json"))
    assert [row["who"] for row in rows] == ["bea", "anna"]
    assert set(rows[0]) == set(Entry.__dataclass_fields__)


@pytest.mark.usefixtures("two")
def test_since_leaves_out_what_is_older() -> None:
    assert run("--since", "1m") == "nothing was done to dev in the last 1m\n"


def test_nothing_yet(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "connect", lambda *_: kube)
    assert run() == "nothing was done to dev yet\n"
