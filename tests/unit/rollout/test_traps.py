"""Traps as a preview and the doctor tell them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.rollout import checks, traps
from cli.yamlfile import YamlFile

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    return tmp_path


def test_the_settings_of_this_repository_are_sound(project: Path) -> None:
    assert traps.rendered(project, "dev", (1, 36)) == []


def test_what_settings_and_object_both_show_is_told_once_at_the_settings(project: Path) -> None:
    file = YamlFile(project / "Pulumi.dev.yaml")
    file.document["config"]["turnout:app"]["services"]["api"]["drain"] = {"pause": 0}
    file.save()
    found = traps.rendered(project, "dev")
    assert [(trap.name, trap.where) for trap in found] == [("no-pause", "app.services.api.drain.pause")]
    assert traps.told(found)[0].endswith("better: 5 or more seconds")


def test_what_only_the_object_shows_is_told_at_the_object(project: Path) -> None:
    file = YamlFile(project / "Pulumi.dev.yaml")
    file.document["config"]["turnout:app"]["services"]["api"]["env"] = {"DRAIN_SECONDS": "60"}
    file.save()
    found = traps.rendered(project, "dev")
    assert [(trap.name, trap.where) for trap in found] == [("short-grace", "Deployment dev/api-a")]


def test_a_project_of_another_shape_has_no_settings_to_warn_of(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  other:key: 1\n")
    assert traps.found(tmp_path, "dev", [], None) == []


def test_many_that_walk_into_the_same_are_told_in_one_line(project: Path) -> None:
    file = YamlFile(project / "Pulumi.dev.yaml")
    for name in ("api", "tools"):
        file.document["config"]["turnout:app"]["services"][name]["drain"] = {"pause": 0}
    file.save()
    (line,) = traps.told(traps.rendered(project, "dev"))
    assert line.startswith("app.services.api.drain.pause and 1 more: ")


def test_the_doctor_warns_of_them(project: Path) -> None:
    assert {check.name: check.verdict for check in checks.project(project, "dev")}["traps"] == "ok"
    file = YamlFile(project / "Pulumi.dev.yaml")
    file.document["config"]["turnout:app"]["services"]["api"]["drain"] = {"pause": 0}
    file.save()
    (found,) = [check for check in checks.project(project, "dev") if check.name == "traps"]
    assert (found.verdict, found.fix) == ("warning", "edit Pulumi.dev.yaml")
    assert "app.services.api.drain.pause" in found.found
