"""A preview against the last state asks no cluster: it works when there is none to be reached, and is as right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.small import Small, small

pytestmark = pytest.mark.cluster

NOWHERE = "https://127.0.0.1:9"


@pytest.fixture(scope="module")
def project(sandbox: str, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """One that was applied, and whose kubeconfig leads nowhere since."""
    with small(tmp_path_factory.mktemp("state"), sandbox, kubeconfig) as made:
        made.run("up", made.environment, "--yes", MARK="one")
        file = made.folder / "kubeconfig"
        lines = file.read_text().splitlines()
        file.write_text("\n".join(_elsewhere(line) for line in lines))
        yield made


def test_nothing_changed_is_nothing(project: Small) -> None:
    found = _previewed(project, "one")
    assert (found["mode"], found["changes"]) == ("state", [])


def test_each_change_is_told_by_its_fields(project: Small) -> None:
    project.ask_for(maps=4)
    try:
        found = _previewed(project, "two")
    finally:
        project.ask_for()
    told = {change["name"]: change["operation"] for change in found["changes"]}
    assert told == {**{f"ConfigMap-map-{number}": "replace" for number in range(3)}, "ConfigMap-map-3": "create"}
    changed = next(change for change in found["changes"] if change["name"] == "ConfigMap-map-0")
    assert [(field["path"], field["before"], field["after"]) for field in changed["fields"]] == [
        ("data.mark", "one", "two")
    ]


def _previewed(project: Small, mark: str) -> dict[str, Any]:
    said = project.run("preview", project.environment, "--mode", "state", "--json", MARK=mark).stdout
    found: dict[str, Any] = json.loads(said)["environments"][0]
    return found


def _elsewhere(line: str) -> str:
    indent, key, _ = line.partition("server:")
    return f"{indent}{key} {NOWHERE}" if key else line
