from __future__ import annotations

import pytest

from cli.engine.model import SECRET, Diagnostic, Outcome, ResourceFailure, Update
from cli.report import output, text

URN = "urn:pulumi:dev::turnout::kubernetes:apps/v1:Deployment::dev/api-a"


def lines(view: list[text.Line]) -> list[str]:
    return [line.text for line in view]


def test_a_long_value_is_cut_in_the_middle() -> None:
    assert len(text.shown("x" * 5_000)) < 200


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


def test_what_would_act_on_a_terminal_is_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    output.lines([text.Line("a\x1b[31mb\u202ec\nd\te")])
    assert capsys.readouterr().out == "a\\x1b[31mb\\u202ec\nd\te\n"


def test_output_to_a_file_has_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    output.lines([text.Line("[bold]not markup[/bold]", "red")])
    assert capsys.readouterr().out == "[bold]not markup[/bold]\n"
