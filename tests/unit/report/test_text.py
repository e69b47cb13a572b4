from __future__ import annotations

import json

import pytest

from cli.engine.model import (
    ABSENT,
    SECRET,
    UNKNOWN,
    Change,
    Diagnostic,
    Effect,
    FieldChange,
    Operation,
    Outcome,
    Plan,
    ResourceFailure,
    Update,
)
from cli.report import output, text

URN = "urn:pulumi:dev::turnout::kubernetes:apps/v1:Deployment::dev/api-a"
TYPE = "kubernetes:apps/v1:Deployment"


def change(operation: Operation, *fields: FieldChange, component: str = "app/api", **more: object) -> Change:
    return Change(URN, TYPE, "dev/api-a", operation, component=component, fields=fields, **more)  # type: ignore[arg-type]


def plan(*changes: Change, **counts: int) -> Plan:
    return Plan("dev", changes, counts, 1.25, "pulumi 3.259.0", "official kubernetes plugin 4.34.2")


def lines(view: list[text.Line]) -> list[str]:
    return [line.text for line in view]


def test_a_plan_reads_by_component_resource_and_field() -> None:
    image = FieldChange("spec.image", "a:1", "a:2")
    update = change(Operation.UPDATE, image, effects=(Effect.RESTARTS_PODS,))
    shown = lines(text.plan_lines(plan(update, change(Operation.CREATE, component=""), update=1, create=1, same=3)))
    assert shown == [
        "environment",
        "  + Deployment dev/api-a",
        "app/api",
        "  ~ Deployment dev/api-a  (restarts its pods)",
        '      spec.image: "a:1" → "a:2"',
        "dev: 1 to create, 1 to update, 3 unchanged · 1.2 s · pulumi 3.259.0 · official kubernetes plugin 4.34.2",
    ]


def test_no_changes_is_one_line_with_the_number_of_resources() -> None:
    assert lines(text.plan_lines(plan(same=104)))[0].startswith("dev: no changes, 104 resources")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (FieldChange("a", ABSENT, 1), "      a: + 1"),
        (FieldChange("a", [1], ABSENT), "      a: - [1]"),
        (FieldChange("a", SECRET, SECRET, secret=True), "      a: [secret] → [secret]"),
        (FieldChange("a", 1, UNKNOWN, certain=False), "      a: 1 → [known after the apply]  (possible)"),
        (FieldChange("a", None, 1, replaces=True), "      a: null → 1  (replaces)"),
        (FieldChange("binaryData.record", "A" * 8, "A" * 16), "      binaryData.record: 6 bytes → 12 bytes"),
    ],
)
def test_each_way_a_field_can_differ(entry: FieldChange, expected: str) -> None:
    assert lines(text.change_lines([change(Operation.UPDATE, entry)]))[2] == expected


def test_a_long_text_is_shown_as_its_differing_lines() -> None:
    before, after = "a\nb\nc\nd\n", "a\nb\nX\nd\n"
    shown = lines(text.change_lines([change(Operation.REPLACE, FieldChange("data.f", before, after))]))
    assert "        -c" in shown
    assert "        +X" in shown
    assert "         a" not in shown


def test_a_long_value_is_cut_in_the_middle() -> None:
    assert len(text.shown("x" * 5_000)) < 200


def test_a_retained_resource_says_that_it_stays() -> None:
    assert "(kept in the cluster)" in lines(text.change_lines([change(Operation.RETAIN)]))[1]


def outcome(**more: object) -> Outcome:
    given: dict[str, object] = {
        "environment": "dev",
        "ok": False,
        "changes": (),
        "counts": {"create": 1},
        "outputs": {"token": SECRET},
        "diagnostics": (Diagnostic("error", "its image cannot be had", URN), Diagnostic("warning", "old")),
        "failures": (ResourceFailure(URN, "its image cannot be had"),),
        "seconds": 3.0,
        "engine": "pulumi 3.259.0",
        "provider": "own",
    }
    return Outcome(**(given | more))  # type: ignore[arg-type]


def test_a_failure_is_told_once_with_its_reason() -> None:
    shown = lines(text.outcome_lines(outcome()))
    assert shown.count("      its image cannot be had") == 1
    assert "error: its image cannot be had" not in shown
    assert "warning: old" in shown
    assert shown[-1].startswith("dev: failed, 1 created")


def test_an_interruption_is_not_called_a_failure() -> None:
    assert "interrupted, " in lines(text.outcome_lines(outcome(interrupted=True)))[-1]


def test_history_is_a_line_an_update() -> None:
    update = Update(
        3, "update", "succeeded", "2026-11-21T07:52:56.000Z", 1.0, "more replicas", {"same": 4}, "abcdef123456"
    )
    assert lines(text.history_lines([update])) == [
        "2026-11-21T07:52:56Z  update   succeeded  4 unchanged  abcdef1234  more replicas"
    ]


def test_the_json_form_says_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    output.document(plan(change(Operation.UPDATE, FieldChange("a", ABSENT, 1)), update=1, same=2).to_json())
    document = json.loads(capsys.readouterr().out)
    assert document["resources"] == 3
    assert document["changes"][0]["fields"] == [
        {"path": "a", "after": 1, "secret": False, "certain": True, "replaces": False}
    ]


def test_output_to_a_file_has_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    output.lines([text.Line("[bold]not markup[/bold]", "red")])
    assert capsys.readouterr().out == "[bold]not markup[/bold]\n"
