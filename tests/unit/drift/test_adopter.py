"""Edits of a settings file are tried in a render of the real program before they are offered."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from cli.drift import adopter, declared, differing
from cli.drift.declared import Declared
from cli.drift.managed import Item
from cli.drift.model import Drifted, Field, Report, What
from cli.engine.render import render
from cli.errors import TurnoutError
from tests.harness import ROOT

API = "Deployment/dev/api-a"
CONTAINER = ("spec", "template", "spec", "containers", Item((("name", "api"),)))


class Looked:
    """A state that holds what the program asks for now."""

    def __init__(self) -> None:
        graph = render(ROOT, "dev")
        rows = [
            {
                "urn": one.urn,
                "type": one.type,
                "custom": True,
                "id": "/".join(filter(None, (one.inputs["metadata"].get("namespace"), one.inputs["metadata"]["name"]))),
                "inputs": one.inputs,
            }
            for one in graph.resources
            if one.is_kubernetes
        ]
        self.known = {one.place.address: one for one in declared.of_deployment({"resources": rows})}
        self.by_urn = {one.urn: one for one in self.known.values()}

    def as_applied(self, drifted: Drifted) -> Declared:
        return self.by_urn[drifted.urn]


@pytest.fixture(scope="module")
def looked() -> Any:
    return Looked()


def drifted(looked: Any, *changes: tuple[tuple[Any, ...], Any], address: str = API) -> Report:
    """What is found after somebody has set these fields."""
    one = looked.known[address]
    fields = tuple(
        Field(
            path=".".join(str(getattr(step, "label", step)) for step in path),
            what=What.CHANGED,
            declared=differing.look_up(one.manifest, path),
            live=value,
            steps=path,
        )
        for path, value in changes
    )
    return Report("dev", (Drifted(one.place, one.urn, "app/api", fields=fields),), looked=1)


def test_what_the_program_makes_of_the_edited_settings_is_what_is_live(looked: Any) -> None:
    before = (ROOT / "Pulumi.dev.yaml").read_text()
    report = drifted(
        looked,
        (("spec", "replicas"), 5),
        ((*CONTAINER, "resources", "requests", "cpu"), "250m"),
        ((*CONTAINER, "image"), "turnout.local/agents:1.1.0"),
        (("spec", "template", "spec", "dnsPolicy"), "Default"),
    )
    made = adopter.adoption(ROOT, report, looked, [])
    assert [one.key for one in made.edits] == [
        "turnout:app.services.api.replicas",
        "turnout:app.services.api.resources.cpu",
        "turnout:app.version",
    ]
    assert [one.field.path for one in made.unsaid if one.field] == ["spec.template.spec.dnsPolicy"]
    changed = [line for line in made.file.diff() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == [
        "-    version: 1.0.0",
        "+    version: 1.1.0",
        "-        replicas: 3",
        "+        replicas: 5",
        "+        resources:",
        "+          cpu: 250",
    ]
    assert (ROOT / "Pulumi.dev.yaml").read_text() == before
    assert any("every part of the app runs this image" in line for line in made.lines())


def test_a_setting_that_does_not_bring_it_about_is_not_offered(looked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopter, "_rendered", lambda *_: [copy.deepcopy(looked.known[API].manifest)])
    made = adopter.adoption(ROOT, drifted(looked, (("spec", "replicas"), 5)), looked, [])
    assert (made.edits, made.file.diff()) == ((), [])
    [left] = made.unsaid
    assert left.why == "turnout:app.services.api.replicas does not bring it about"


def test_what_the_settings_refuse_is_an_error_and_nothing_is_written(looked: Any) -> None:
    report = drifted(looked, (("spec", "replicas"), 0))
    with pytest.raises(TurnoutError, match=r"cannot say what is live(.|\n)*replicas"):
        adopter.adoption(ROOT, report, looked, [])


def test_a_settings_file_that_is_not_there_is_named(looked: Any, tmp_path: Path) -> None:
    with pytest.raises(TurnoutError, match="there is no environment dev"):
        adopter.adoption(tmp_path, drifted(looked, (("spec", "replicas"), 5)), looked, [])
