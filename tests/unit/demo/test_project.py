from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.demo.project import SANDBOX, SETTINGS, Project, describe, keep_secrets

CHECKOUT = """\
# The development environment.
config:
  turnout:cluster:
    sandbox: main
  turnout:app:
    version: 1.0.0
    services:
      api:
        replicas: 3 # enough to roll
"""


def app() -> dict[str, Any]:
    return {"config": {"turnout:app": {"version": "1", "services": {"api": {"replicas": 3}}}}}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / SETTINGS).write_text(CHECKOUT)
    (folder / "Pulumi.yaml").write_text("name: turnout\n")
    return folder


def test_a_release_changes_the_version_alone() -> None:
    document = app()
    describe(document, "2", protected=True)
    assert document["config"]["turnout:app"] == {"version": "2", "services": {"api": {"replicas": 3}}}


def test_the_protection_can_be_taken_out_and_put_back() -> None:
    document = app()
    describe(document, "1", protected=False)
    api = document["config"]["turnout:app"]["services"]["api"]
    assert api["env"] == {"DRAIN": "off"} and api["drain"]["pause"] == 0
    describe(document, "1", protected=True)
    assert document == app()


def test_the_copy_has_a_sandbox_of_its_own_and_leaves_the_checkout_alone(checkout: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "demo")
    project.copy_from(checkout)
    project.release("2.0.0")
    text = (project.folder / SETTINGS).read_text()
    assert f"sandbox: {SANDBOX}" in text and "version: 2.0.0" in text and "# enough to roll" in text
    assert (checkout / SETTINGS).read_text() == CHECKOUT


def test_secrets_outlive_a_fresh_copy(checkout: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "demo")
    project.copy_from(checkout)
    project.edit(lambda document: document.update({"encryptionsalt": "v1:salt"}))
    project.edit(lambda document: document["config"].update({"turnout:redis": {"password": {"secure": "v1:x"}}}))
    project.copy_from(checkout)
    text = (project.folder / SETTINGS).read_text()
    assert "encryptionsalt: v1:salt" in text and "secure: v1:x" in text


def test_only_secrets_are_carried_over() -> None:
    fresh: dict[str, Any] = {"config": {"turnout:redis": {"enabled": True}}}
    known = {"config": {"turnout:redis": {"enabled": False, "password": {"secure": "x"}}, "turnout:old": {"a": 1}}}
    keep_secrets(fresh, known)
    assert fresh == {"config": {"turnout:redis": {"enabled": True, "password": {"secure": "x"}}}}
