from __future__ import annotations

import json

import pytest

from cli.report.contents import difference

RULES = """\
groups:
- name: pods
  rules:
  - alert: Down
    expr: up == 0
    for: 5m
    labels: {severity: page}
  - record: job:up
    expr: sum(up)
"""


def told(name: str, before: str, after: str) -> list[str]:
    return [f"{line.mark}{line.text}" for line in difference(name, before, after)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("for: 5m", "for: 7m", ["@alert Down (group pods) changed", "-for: 5m", "+for: 7m"]),
        ("up == 0", "up < 1", ["@alert Down (group pods) changed", "-expr: up == 0", "+expr: up < 1"]),
        ("page}", "page, team: a}", ["@alert Down (group pods) changed", "+label team: a"]),
        ("sum(up)", "max(up)", ["@record job:up (group pods) changed", "-expr: sum(up)", "+expr: max(up)"]),
    ],
)
def test_a_rule_that_differs_is_told_by_its_fields(old: str, new: str, expected: list[str]) -> None:
    assert told("pods.yaml", RULES, RULES.replace(old, new)) == expected


def test_rules_that_come_and_go_are_told_whole() -> None:
    added = RULES + "  - alert: Late\n    expr: |\n      a\n      > 1\n"
    expected = ["@alert Late (group pods) added", "+expr: a", "+      > 1"]
    assert told("pods.yaml", RULES, added) == expected
    removed = [line.replace("added", "removed").replace("+", "-", 1) for line in expected]
    assert told("pods.yaml", added, RULES) == removed


def test_a_new_rule_file_is_told_by_its_rules() -> None:
    assert told("pods.yaml", "", RULES)[0] == "@alert Down (group pods) added"


def test_rules_in_another_order_or_layout_are_no_change_of_a_rule() -> None:
    other = RULES.replace("{severity: page}", '\n      severity: "page"')
    assert told("pods.yaml", RULES, other) == ["@only its formatting, or what is hidden here"]


def test_two_rules_of_one_name_are_told_apart() -> None:
    twice = RULES + "  - alert: Down\n    expr: up == 2\n"
    assert told("r.yaml", RULES, twice) == ["@alert Down (group pods) #2 added", "+expr: up == 2"]


def dashboard(*panels: dict[str, object], **more: object) -> str:
    return json.dumps({"title": "Pods", "panels": list(panels), **more})


def test_a_dashboard_is_told_by_panel() -> None:
    requests = {"title": "Requests", "id": 1, "targets": [{"expr": "a"}]}
    before = dashboard(requests, {"title": "Errors", "id": 2, "unit": "s"}, version=1)
    after = dashboard({"title": "New"}, requests | {"targets": [{"expr": "b"}], "id": 7}, version=2)
    assert told("pods.json", before, after) == [
        "@panel Requests changed",
        '   "targets": [',
        "     {",
        '-      "expr": "a"',
        '+      "expr": "b"',
        "     }",
        "   ],",
        "@panel Errors removed",
        "-{",
        '-  "title": "Errors",',
        '-  "unit": "s"',
        "-}",
        "@panel New added",
        "+{",
        '+  "title": "New"',
        "+}",
    ]


def test_another_layout_of_json_is_called_so() -> None:
    data = {"a": 1, "b": [1, 2]}
    assert told("a.json", json.dumps(data), json.dumps(data, indent=4)) == [
        "@only its formatting, or what is hidden here"
    ]


def test_other_files_are_compared_by_line() -> None:
    before = "".join(f"line {number}\n" for number in range(20))
    assert told("a.conf", before, before.replace("line 9\n", "line nine\n")) == [
        "@line 8",
        " line 7",
        " line 8",
        "-line 9",
        "+line nine",
        " line 10",
        " line 11",
    ]


@pytest.mark.parametrize(
    "content",
    ["groups: [\n", "groups:\n- &a {name: x, rules: [*a]}\n", "groups: 1\n", "groups:\n- rules: 7\n", "- groups:\n"],
)
def test_a_file_that_is_no_rule_file_is_compared_by_line(content: str) -> None:
    assert "+more" in told("r.yaml", content, content + "more\n")


def test_a_text_too_long_to_compare_says_so() -> None:
    assert told("a.txt", "x\n" * 7_000, "y\n" * 7_000) == ["@too long to compare: 7,000 and 7,000 lines"]
    assert told("a.txt", "x" * 3_000_000, "") == ["@too long to compare: 3,000,000 and 0 characters"]


def test_nothing_differs_in_equal_texts() -> None:
    assert difference("a.yaml", RULES, RULES) == ()
