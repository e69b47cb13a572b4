"""What the settings pass over for a while."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.drift import passer, passing, settings
from cli.drift.model import Drifted, Fate, Field, Place, Report, What
from cli.errors import TurnoutError, UsageError
from infra.review import IgnoredDrift

TODAY = date(2026, 11, 21)
PLACE = Place("apps/v1", "Deployment", "dev", "web-a")
IMAGE = "spec.template.spec.containers[web].image"
FILE = """\
# Kept by people.
config:
  turnout:cluster: {sandbox: main} # here
  turnout:app: {image: agents, version: 1.0.0}
"""


def drifted(*paths: str, fate: Fate = Fate.CHANGED) -> Drifted:
    return Drifted(PLACE, "urn", "app/web", fate, tuple(Field(path, What.CHANGED, 1, 2) for path in paths))


def entry(**given: Any) -> IgnoredDrift:
    whole = {"where": "Deployment dev/web-*", "reason": "scaled for the sale", "owner": "anna", "expires": TODAY}
    return IgnoredDrift.model_validate(whole | given)


def report(*objects: Drifted) -> Report:
    return Report("dev", objects, looked=9)


def counted(found: Report) -> list[list[str]]:
    return [[field.path for field in one.fields if not field.ignored] for one in found.objects if one.counts]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, []),
        ({"field": "spec.replicas"}, [[IMAGE]]),
        ({"field": "spec.template"}, [["spec.replicas"]]),
        ({"field": IMAGE}, [["spec.replicas"]]),
        ({"field": "spec.template.spec.containers[*].image"}, [["spec.replicas"]]),
        ({"field": "spec.rep"}, [["spec.replicas", IMAGE]]),
        ({"where": "Deployment dev/other"}, [["spec.replicas", IMAGE]]),
        ({"expires": date(2026, 11, 20)}, [["spec.replicas", IMAGE]]),
    ],
)
def test_fields_and_objects_are_passed_over_until_the_last_day(given: dict[str, Any], left: list[list[str]]) -> None:
    assert counted(passing.passed(report(drifted("spec.replicas", IMAGE)), {"x": entry(**given)}, TODAY)) == left


def test_who_answers_for_it_and_until_when_is_shown() -> None:
    [one] = passing.passed(report(drifted("spec.replicas")), {"x": entry()}, TODAY).objects
    assert one.ignored == "scaled for the sale, anna, until 2026-11-21"


def test_only_a_whole_object_passes_over_its_deletion() -> None:
    gone = report(drifted(fate=Fate.DELETED))
    assert passing.passed(gone, {"x": entry()}, TODAY).drifted == ()
    assert len(passing.passed(gone, {"x": entry(field="spec.replicas")}, TODAY).drifted) == 1


def test_an_entry_that_is_out_of_date_is_named_where_it_would_still_be_of_use() -> None:
    old = {"sale": entry(expires=date(2026, 11, 20))}
    [note] = passing.passed(report(drifted("spec.replicas")), old, TODAY).notes
    assert note == "turnout:review drift.ignore.sale ended on 2026-11-20 (anna): it counts again"
    assert passing.passed(report(), old, TODAY).notes == ()


def test_an_entry_for_each_field_under_a_free_name() -> None:
    made = list(
        passing.entries([drifted("spec.replicas", IMAGE)], ["deployment-web-a"], reason="r", owner="o", expires=TODAY)
    )
    assert [(one.name, one.where, one.field) for one in made] == [
        ("deployment-web-a-2", "Deployment dev/web-a", "spec.replicas"),
        ("deployment-web-a-3", "Deployment dev/web-a", IMAGE),
    ]
    [whole] = passing.entries([drifted(fate=Fate.DELETED)], [], reason="r", owner="o", expires=TODAY)
    assert (whole.field, "field" in whole.content) == ("*", False)


@pytest.mark.parametrize(
    ("text", "day"), [("14d", date(2026, 12, 5)), ("2w", date(2026, 12, 5)), ("2026-11-21", TODAY)]
)
def test_until_is_a_day_or_a_length(text: str, day: date) -> None:
    assert passing.until(text, datetime(2026, 11, 21, 23, tzinfo=UTC)) == day


@pytest.mark.parametrize("text", ["", "soon", "2026-11-20", "14", "999999999999d"])
def test_any_other_end_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        passing.until(text, datetime(2026, 11, 21, tzinfo=UTC))


def test_what_is_passed_over_has_a_reason_somebody_and_an_end() -> None:
    with pytest.raises(UsageError, match="--ignore needs --reason, --until"):
        passer.must_be_whole("turnout drift dev --ignore", "", "anna", "")
    with pytest.raises(UsageError, match="too short"):
        passer.must_be_whole("turnout drift dev --ignore", "because", "anna", "1d")


def test_entries_are_written_with_comments_kept_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(FILE)
    made = passer.ignored(
        tmp_path, report(drifted("spec.replicas", IMAGE)), [], reason="scaled for the sale", owner="anna", expires=TODAY
    )
    assert file.read_text() == FILE
    made.save()
    assert file.read_text().startswith(FILE)
    assert "&" not in file.read_text()
    found = settings.read(tmp_path, "dev")
    assert [(one.where, one.field, one.expires) for one in found.values()] == [
        ("Deployment dev/web-a", "spec.replicas", TODAY),
        ("Deployment dev/web-a", IMAGE, TODAY),
    ]
    assert passing.passed(report(drifted("spec.replicas", IMAGE)), found, TODAY).drifted == ()


def test_wrong_settings_are_an_error_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: turnout\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(FILE + "  turnout:review: {drift: {ignored: {}}}\n")
    with pytest.raises(TurnoutError, match=r"Pulumi.dev.yaml:5(.|\n)*ignore"):
        settings.read(tmp_path, "dev")
