"""Figures as the table in docs/performance.md: a row a work, a column a tool."""

from __future__ import annotations

from collections.abc import Iterable

from tests.bench.works import Row
from tests.page import put_between

TOOLS = ("turnout", "official", "pulumi", "kubectl")
HEADINGS = ("Work", "Resources", "turnout", "its engine, official plugin", "plain pulumi", "kubectl")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def table(rows: Iterable[Row]) -> list[str]:
    """Seconds, and in brackets the peak memory of the whole command and of the provider in it."""
    found = {(row.work, row.resources, row.tool): row for row in rows}
    works = sorted({(work, resources) for work, resources, _ in found}, key=lambda one: (one[1], one[0]))
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    for work, resources in works:
        cells = [_cell(found.get((work, resources, tool))) for tool in TOOLS]
        lines.append(f"| {work} | {resources or ''} | {' | '.join(cells)} |")
    return lines


def put_into(text: str, rows: Iterable[Row]) -> str:
    """The page with the table between its marks."""
    return put_between(text, BEGIN, END, table(rows))


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    parts = [f"{row.peak_mb:.0f} MB"]
    if row.peaks.get("provider"):
        parts.append(f"provider {row.peaks['provider']:.0f}")
    return f"{row.seconds:.2f} s ({', '.join(parts)})"
