"""The list of what a hermetic preview tells otherwise than a live one."""

from __future__ import annotations

from pathlib import Path

from cli.engine.model import Change, FieldChange, Operation
from cli.review.differences import DIFFERENCES, keyed, unexplained

PAGE = Path(__file__).resolve().parents[3] / "docs" / "previews.md"


def change(name: str, *fields: FieldChange, operation: Operation = Operation.UPDATE) -> Change:
    return Change(f"urn::{name}", "kubernetes:apps/v1:Deployment", name, operation, fields=fields)


def test_the_page_explains_every_difference_and_no_other() -> None:
    section = PAGE.read_text().partition("### What it cannot know")[2].partition("\n### ")[0]
    told = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert told == [entry.code for entry in DIFFERENCES]


def test_the_same_resource_is_found_on_either_track() -> None:
    assert keyed([change("prod/api-a")]).keys() == keyed([change("prod/api-b")]).keys()
    assert keyed([change("prod/agent-api")]).keys() == {("Deployment", "prod/agent-api")}


def test_hashes_letters_and_the_epoch_are_explained() -> None:
    hermetic = change(
        "prod/api-a",
        FieldChange("spec.template.spec.volumes[0].secret.secretName", "db-[hash]", "db-[hash]"),
        FieldChange("spec.template.spec.serviceAccountName", "api-a", "api-a"),
        FieldChange('metadata.labels["turnout.dev/track"]', "a", "a"),
    )
    live = change(
        "prod/api-b",
        FieldChange("spec.template.spec.volumes[0].secret.secretName", "db-0123456789", "db-9876543210"),
        FieldChange("spec.template.spec.serviceAccountName", "api-b", "api-b"),
        FieldChange('metadata.labels["turnout.dev/track"]', "b", "b"),
        FieldChange('metadata.annotations["turnout.dev/epoch"]', "3", "4"),
    )
    assert unexplained(hermetic, live) == ()


def test_another_value_field_or_operation_is_not() -> None:
    hermetic = change("prod/api-a", FieldChange("spec.paused", False, True), FieldChange("spec.x", 1, 2))
    live = change("prod/api-a", FieldChange("spec.paused", False, None), operation=Operation.REPLACE)
    assert unexplained(hermetic, live) == ("operation", "spec.paused", "spec.x")


def test_of_a_release_record_only_what_happens_to_it_counts() -> None:
    one = change("turnout-prod/release.0", FieldChange("metadata.name", "release-[hash]", "release-[hash]"))
    other = change("turnout-prod/release.0", FieldChange("binaryData.record", "QQ==", "QUE="))
    assert unexplained(one, other) == ()
