"""The tables that programs write into docs/performance.md have the columns that those programs write now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench import report, scale
from tests.harness import ROOT
from tests.soak.rollouts import figures

NOTHING: dict[str, Any] = {
    "kubectl_undo_seconds": None,
    "strategies": {},
    "unprotected_failed": 0,
    "unprotected_requests": 0,
    "requests": 0,
    "failed": 0,
    "served_by_servers": 0,
    "over_a_second": 0,
}


@pytest.mark.parametrize(
    ("begin", "end", "written"),
    [
        (figures.BEGIN, figures.END, figures.table(NOTHING)),
        (report.BEGIN, report.END, report.table([])),
        (scale.BEGIN, scale.END, scale.table([])),
    ],
)
def test_a_table_has_the_columns_that_are_written(begin: str, end: str, written: list[str]) -> None:
    [block] = (ROOT / "docs/performance.md").read_text().split(begin)[1:]
    table = [line for line in block.partition(end)[0].splitlines() if line.startswith("|")]
    assert table[:2] == written[:2]
    assert len(table) > 2 and {line.count("|") for line in table} == {written[0].count("|")}
