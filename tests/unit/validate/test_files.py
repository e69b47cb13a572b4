"""Alerts, runbooks, dashboards, images and secrets: each fault is found, at its place."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.validate import blame, written
from cli.validate.model import Place
from components import versions
from tests.unit.validate.planted import Planted

DEV, STAGING = "Pulumi.dev.yaml", "Pulumi.staging.yaml"
APP = "components/prometheus/rules/app.yaml"
CIPHERTEXT = "v1:c2FsdA==:" + "QUJD" * 8


def test_an_alert_without_a_runbook(planted: Planted) -> None:
    planted.edit(APP, "alert: AppDown", "alert: AppGone")

    assert planted.said() == [
        ("alert-without-runbook", "error", [f"{APP}:{planted.line(APP, 'AppGone')}: AppGone"]),
        ("runbook-without-alert", "error", ["runbooks/AppDown.md:1"]),
    ]


def test_no_runbooks_at_all_is_told_once(planted: Planted) -> None:
    shutil.rmtree(planted.root / "runbooks")

    assert planted.said() == [("alert-without-runbook", "error", ["runbooks"])]


def test_a_runbook_that_the_index_lacks(planted: Planted) -> None:
    text = (planted.root / "runbooks/ALERTS.md").read_text()
    [line] = [line for line in text.splitlines(keepends=True) if "(AppDown.md)" in line]
    planted.edit("runbooks/ALERTS.md", line, line.replace("AppDown", "AppUp"))

    assert planted.said() == [
        (
            "runbook-without-alert",
            "error",
            [f"runbooks/ALERTS.md:{planted.line('runbooks/ALERTS.md', '(AppUp.md)')}: AppUp"],
        ),
        ("runbook-without-alert", "error", ["runbooks/AppDown.md:1"]),
    ]


def test_a_rule_of_a_service_that_is_not_there(planted: Planted) -> None:
    planted.edit(APP, 'expr: up{job="app"} == 0', 'expr: up{job="app", service="web"} == 0')

    assert planted.said() == [("names-nothing", "error", [f"{APP}:{planted.line(APP, 'web')}: web"])]


def test_a_dashboard_of_a_service_that_is_not_there(planted: Planted) -> None:
    file = "components/grafana/dashboards/more.json"
    panel = '{"panels": [\n{"targets": [{"expr": "up{service=~\\"api|web.*\\"}"}]}]}'
    planted.write(file, panel)

    assert planted.said() == [("names-nothing", "error", [f"{file}:2: web.*"])]


def test_an_image_without_a_digest(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(versions.IMAGES, "redis", "redis:7.2")
    planted.write("components/versions.py", 'IMAGES = {\n    "redis": "redis:7.2",\n}\n')

    assert planted.said() == [("image-not-pinned", "error", ["components/versions.py:2: redis"])]


def _with_secrets(planted: Planted, file: str, ciphertext: str = CIPHERTEXT) -> None:
    planted.append(file, f"  turnout:postgres:\n    password:\n      secure: {ciphertext}\nencryptionsalt: v1:abc\n")


def test_a_required_secret_that_is_missing_of_a_file_that_has_others(planted: Planted) -> None:
    _with_secrets(planted, DEV)

    assert planted.said() == [
        ("secret-missing", "error", [f"{DEV}:1: turnout:redis.password"]),
        ("secret-missing", "error", [f"{DEV}:1: turnout:grafana.admin_password"]),
    ]


def test_a_secret_of_two_environments(planted: Planted) -> None:
    _with_secrets(planted, DEV)
    _with_secrets(planted, STAGING)
    dev, staging = (planted.line(file, "password:") for file in (DEV, STAGING))

    assert [each for each in planted.said() if each[0] == "secret-shared"] == [
        (
            "secret-shared",
            "warning",
            [f"{STAGING}:{staging}: turnout:postgres.password", f"{DEV}:{dev}: turnout:postgres.password"],
        )
    ]


def _commit(root: Path, at: str) -> str:
    named = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True, env={**os.environ, **named})
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_secret_that_is_too_old(planted: Planted) -> None:
    _with_secrets(planted, DEV)
    commit = _commit(planted.root, "2020-01-01T00:00:00Z")

    [found] = [each for each in planted.found() if each.rule == "secret-old"]
    line = planted.line(DEV, "password:")
    assert found.places == (Place(DEV, line, "turnout:postgres.password"),)
    assert f"(commit {commit[:10]}), and may be 365 old" in found.message
    assert CIPHERTEXT not in str(found)


def test_a_secret_that_was_set_anew_is_not_old(planted: Planted) -> None:
    _with_secrets(planted, DEV)
    _commit(planted.root, "2020-01-01T00:00:00Z")
    planted.edit(DEV, CIPHERTEXT, CIPHERTEXT.replace("QUJD", "WFla"))

    assert [each for each in planted.said() if each[0] == "secret-old"] == []


def test_the_age_that_the_settings_allow(planted: Planted) -> None:
    _with_secrets(planted, DEV)
    planted.edit(DEV, "config:\n", "config:\n  turnout:review: { secrets: { max_age_days: 36500 } }\n")
    _commit(planted.root, "2020-01-01T00:00:00Z")

    assert [each for each in planted.said() if each[0] == "secret-old"] == []


def test_when_lines_were_committed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one\ntwo\n")
    commit = _commit(tmp_path, "2021-02-03T04:05:06Z")
    file.write_text("one\nthree\n")

    found = blame.lines(tmp_path, "a.yaml")

    assert found[1] == blame.Line(commit, datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert found[2].at is None
    assert blame.lines(tmp_path, "b.yaml") == {}


def test_keys_with_their_lines() -> None:
    found = written.parse("a.yaml", "a:\n  - b: 1\n  - b: 2\nc: {d: x, d: y}\n")

    assert [(key.dotted, key.line, key.value) for key in found.all] == [
        *(("a", 1, None), ("a.0", 2, None), ("a.0.b", 2, "1"), ("a.1", 3, None), ("a.1.b", 3, "2")),
        *(("c", 4, None), ("c.d", 4, "x"), ("c.d", 4, "y")),
    ]
    assert found.twice == (written.Twice(Place("a.yaml", 4, "c.d"), Place("a.yaml", 4, "c.d")),)


def test_what_is_no_yaml_is_told_with_its_line() -> None:
    assert written.parse("a.yaml", "a: 1\nb: [\n").faults[0][0] == Place("a.yaml", 3)
