"""`turnout policy`: the list, one rule, and a report of environments in every form."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import context
from cli.commands import policy
from cli.errors import UsageError
from cli.review import policy_report
from cli.review.model import Finding
from cli.review.policy_report import Kept
from cli.rollout import checks
from infra import policed
from infra.policies import BY_ID, Tally

ROOT = Path(__file__).parents[3]


def run(*words: str) -> Result:
    return CliRunner().invoke(policy.app, words, standalone_mode=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with dev's settings."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "infra").mkdir()
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(context, "project", lambda: tmp_path)
    return tmp_path


def edit(project: Path, before: str, after: str) -> None:
    file = project / "Pulumi.dev.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def test_the_list_names_every_rule() -> None:
    assert all(rule in run("list").stdout for rule in BY_ID)
    assert [row["rule"] for row in json.loads(run("list", "--json").stdout)] == list(BY_ID)


def test_one_rule_says_all_about_itself() -> None:
    said = run("show", "host-path").stdout
    for part in ("why: a folder of the node", "instead: an emptyDir", "mandatory in prod", "CIS", "fails:", "passes:"):
        assert part in said
    assert json.loads(run("show", "host-path", "--json").stdout)["fails"][0]["kind"] == "Deployment"


def test_an_unknown_rule_is_named_with_the_nearest() -> None:
    error = run("show", "hostpath").exception
    assert isinstance(error, UsageError)
    assert "did you mean 'host-path'?" in str(error)


def test_a_report_counts_objects_and_names_exceptions(project: Path) -> None:
    assert project.is_dir()
    done = run("report", "--json")
    assert done.exit_code == 0
    [dev] = json.loads(done.stdout)["environments"]
    rules = {row["rule"]: row for row in dev["rules"]}
    assert (rules["host-path"]["passed"], rules["host-path"]["failed"], rules["host-path"]["excepted"]) == (9, 0, 2)
    assert "image-digest" not in rules
    assert {each["name"] for each in dev["exceptions"]} >= {"collector-is-root", "agents-namespace"}


def test_what_would_be_refused_ends_with_4_and_is_told_in_every_form(project: Path) -> None:
    edit(project, "version: 1.0.0", "version: latest")
    sarif, junit = project / "found.sarif", project / "found.xml"
    done = run("report", "dev", "--sarif", str(sarif), "--junit", str(junit))
    assert done.exit_code == 4
    assert "image-latest: Deployment dev/api-a: api runs turnout.local/agents:latest: the tag latest" in done.stdout
    found = [each for each in json.loads(sarif.read_text())["runs"][0]["results"] if each["ruleId"] == "image-latest"]
    assert len(found) == 4
    lines = (project / "Pulumi.dev.yaml").read_text().splitlines()
    named = [
        lines[each["locations"][0]["physicalLocation"]["region"]["startLine"] - 1].split(":")[0].strip()
        for each in found
    ]
    assert sorted(named) == ["api", "runner", "sweep", "tools"]
    assert '<failure message="CronJob dev/sweep: sweep runs turnout.local/agents:latest' in junit.read_text()


def test_wrong_settings_end_with_2_and_do_not_hide_the_others(project: Path) -> None:
    shutil.copy(ROOT / "Pulumi.staging.yaml", project)
    edit(project, "version: 1.0.0", "verison: 1.0.0")
    done = run("report")
    assert done.exit_code == 2
    assert "did you mean 'version'?" in done.stdout
    assert "staging: 47 of 47 policies kept" in done.stdout


def test_an_exception_of_an_unknown_rule_is_a_fault_of_the_settings(project: Path) -> None:
    entry = "{rule: hostpath, where: Pod a/b, reason: because of this, owner: me, expires: 2027-01-01}"
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"  turnout:review:\n    exceptions:\n      mine: {entry}\n")
    [kept] = [policy_report.of(project, "dev")]
    assert "turnout:review.exceptions.mine.rule" in kept.failed
    assert "did you mean 'host-path'?" in kept.failed


def test_an_exception_with_a_plain_date_holds(project: Path) -> None:
    edit(project, "version: 1.0.0", "version: latest")
    entry = '{rule: image-latest, where: "* dev/*", reason: until the first release, owner: me, expires: 2999-01-01}'
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"  turnout:review:\n    exceptions:\n      mine: {entry}\n")
    done = run("report", "dev")
    assert done.exit_code == 0
    assert "me, until 2999-01-01: until the first release" in done.stdout


def test_the_doctor_tells_what_refuses_and_which_exception_ends_soon(project: Path) -> None:
    def check() -> tuple[str, str]:
        return next((each.verdict, each.found) for each in checks.project(project, "dev") if each.name == "policies")

    assert check() == ("ok", "all 45 are kept")
    edit(project, "version: 1.0.0", "version: latest")
    assert check() == ("wrong", "4 findings refuse an apply")
    day = policed.now() + timedelta(days=9)
    entry = f'{{rule: image-latest, where: "* dev/*", reason: until the first release, owner: me, expires: {day}}}'
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"  turnout:review:\n    exceptions:\n      mine: {entry}\n")
    assert check() == ("warning", f"the exception mine ends on {day}, and image-latest holds again")


def test_two_documents_do_not_fit_on_stdout() -> None:
    assert isinstance(run("report", "--json", "--sarif", "-").exception, UsageError)


def test_a_report_is_told_in_one_row_a_rule(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    assert project.is_dir()
    finding = Finding("host-path", "advisory", "Pod dev/web", "mounts /", "an emptyDir", excepted="me, until 2027: so")
    kept = Kept("dev", (Tally("host-path", "advisory", 3, 1, 2),), (finding,))
    monkeypatch.setattr(policy_report, "of", lambda *_: kept)
    assert run("report", "dev").stdout.splitlines() == [
        "passed/failed/excepted  dev",
        "host-path  advisory 3/1/2",
        "Excepted",
        "  host-path: Pod ENV/web (dev)",
        "    me, until 2027: so",
        "dev: 0 of 1 policies kept",
    ]
