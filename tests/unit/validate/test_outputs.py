"""`turnout validate`: exit codes, JSON, SARIF, JUnit, and what runs beside what the settings say."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import context
from cli.commands.validate import app
from cli.validate import live
from cli.validate.project import load

ROOT = Path(__file__).resolve().parents[3]
DEV = "Pulumi.dev.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "SSOT_LOCK.yml").write_text("schema: 1\nfacts: {}\n")
    monkeypatch.setattr(context, "_chosen", tmp_path)
    return tmp_path


def edit(project: Path, old: str, new: str) -> None:
    text = (project / DEV).read_text()
    assert old in text
    (project / DEV).write_text(text.replace(old, new))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_settings_that_are_right_end_with_0(project: Path) -> None:
    assert (run().exit_code, run("--strict").exit_code) == (0, 0)
    assert project.is_dir()


def test_a_warning_is_an_error_only_if_strict(project: Path) -> None:
    edit(project, "replicas: 3", "replicas: 2")

    assert (run().exit_code, run("--strict").exit_code, run("prod", "--strict").exit_code) == (0, 2, 0)


def test_an_error_ends_with_2_and_names_its_place(project: Path) -> None:
    edit(project, "image: agents", "imge: agents")

    answer = run()

    assert answer.exit_code == 2
    assert f"{DEV}:7: turnout:app.imge: error: unknown key; did you mean 'image'?" in answer.output


def test_an_environment_that_is_not_there_is_told(project: Path) -> None:
    assert "there is no environment quality" in str(run("quality").exception)
    assert project.is_dir()


def test_json_says_the_same(project: Path) -> None:
    edit(project, "replicas: 3", "replicas: 2")

    found = json.loads(run("dev", "--json").output)

    assert (found["kind"], found["environments"], found["counts"]["warning"]) == ("validation", ["dev"], 1)
    assert found["findings"][0]["places"] == [{"file": DEV, "line": 11, "path": "turnout:app.services.api.replicas"}]


def test_sarif_names_every_place(project: Path) -> None:
    edit(project, "sandbox: main", "sandbox: main\n    sandbox: other")

    found = json.loads(run("dev", "--sarif", "-").output)["runs"][0]

    [result] = [each for each in found["results"] if each["ruleId"] == "defined-twice"]
    assert result["level"] == "error"
    places = [*result["locations"], *result.get("relatedLocations", [])]
    lines = [each["physicalLocation"]["region"]["startLine"] for each in places]
    assert lines == [6, 5]
    assert "defined-twice" in {rule["id"] for rule in found["tool"]["driver"]["rules"]}


def test_junit_has_a_case_for_every_rule(project: Path) -> None:
    edit(project, "replicas: 3", "replicas: 2")
    file = project / "junit.xml"

    run("dev", "--strict", "--junit", str(file))

    suite = ElementTree.parse(file).getroot()[0]
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert (suite.get("failures"), failed) == ("1", ["needless"])


def deployment(name: str, image: str, replicas: int | None, track: str = "a") -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "turnout.dev/environment": "dev"}
    spec = {"template": {"spec": {"containers": [{"name": name, "image": image}]}}}
    copies = {} if replicas is None else {"replicas": replicas}
    metadata = {"name": f"{name}-{track}", "namespace": "dev", "labels": labels}
    return {"kind": "Deployment", "metadata": metadata, "spec": {**spec, **copies}}


def compared(wanted: list[dict[str, Any]], there: list[dict[str, Any]]) -> list[tuple[str, str]]:
    environment = load(ROOT).environments["dev"]
    return [(str(each.places[0]), each.message) for each in live.compare(environment, wanted, there)]


def test_what_runs_as_the_settings_say_is_no_finding() -> None:
    api = deployment("api", "agents:1", 3)

    assert compared([api], [api]) == []
    assert compared([deployment("api", "agents:1", None)], [api]) == []
    assert compared([api], [deployment("api", "agents:0", 1), deployment("api", "agents:1", 3, "b")]) == []


def test_what_runs_otherwise_is_told_at_its_setting() -> None:
    wanted = [deployment("api", "agents:2", 3), deployment("tools", "agents:2", 2), deployment("runner", "agents:2", 2)]
    there = [deployment("api", "agents:1", 3), deployment("tools", "agents:2", 5), deployment("web", "agents:2", 1)]

    assert compared(wanted, there) == [
        (f"{DEV}:8: turnout:app.version", "dev/api runs agents:1, not agents:2"),
        (f"{DEV}:14: turnout:app.services.tools.replicas", "dev/tools has 5 copies, not 2"),
        (f"{DEV}:16: turnout:app.workers.runner", "the Deployment dev/runner that the settings ask for does not run"),
        (f"{DEV}:1: turnout:web", "the Deployment dev/web runs, and no setting asks for it"),
    ]
