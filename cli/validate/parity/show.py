"""A parity report as lines for a terminal: what nobody expects first, what the tiers bring below it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from cli.report.plain import visible
from cli.report.text import Line
from cli.validate.parity.model import Cell, Lone, Parity, Row
from cli.validate.parity.resources import sequence

_LONGEST = 70


def lines(parity: Parity) -> list[Line]:
    """The whole report."""
    names = parity.environments
    shown = [
        *_section("settings that a file sets apart", [row for row in parity.settings if not row.expected], names),
        *_section("secrets", parity.secrets, names),
        *_lone("resources that only some have", [each for each in parity.lone if not each.expected]),
        *_section("fields that differ", [row for row in parity.fields if not row.expected], names),
        *_expected(parity),
    ]
    return [*shown, Line(_summary(parity), "bold")]


def _section(title: str, rows: Sequence[Row], names: Sequence[str]) -> Iterator[Line]:
    if rows:
        yield Line(title, "bold")
    for row in rows:
        yield from _row(row, names)


def _row(row: Row, names: Sequence[str]) -> Iterator[Line]:
    wide = max(map(len, names))
    where = f"  ({sequence(row.resources)})" if row.resources else ""
    yield Line(visible(f"  {row.path}{where}"), "yellow")
    for name in names:
        cell = row.cells[name]
        source = f"  {cell.source}" if cell.source else ""
        yield Line(visible(f"    {name:{wide}}  {_value(cell)}{source}"))


def _lone(title: str, found: Sequence[Lone]) -> Iterator[Line]:
    if found:
        yield Line(title, "bold")
    for each in found:
        yield Line(visible(f"  {each.resource}: only in {' and '.join(each.only_in)}"), "yellow")


def _expected(parity: Parity) -> Iterator[Line]:
    """One line each: nobody has to act on them."""
    rows = sorted((row for row in (*parity.settings, *parity.fields) if row.expected), key=lambda row: row.expected)
    for why, group in groupby(rows, key=lambda row: row.expected):
        yield Line(f"expected: {why}", "bold")
        for row in group:
            values = " · ".join(_value(row.cells[name]) for name in parity.environments)
            where = f"  ({sequence(row.resources)})" if row.resources else ""
            yield Line(visible(f"  {row.path}: {values}{where}"), "dim")
    for each in parity.lone:
        if each.expected:
            yield Line(visible(f"  {each.resource}: only in {' and '.join(each.only_in)}"), "dim")


def _value(cell: Cell) -> str:
    if cell.value is None and not cell.source:
        return "-"
    text = cell.value if isinstance(cell.value, str) else _json(cell.value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _summary(parity: Parity) -> str:
    expected = len(parity.settings) + len(parity.secrets) + len(parity.lone) + len(parity.fields) - parity.unexpected
    names = ", ".join(parity.environments)
    return f"{names}: {parity.unexpected} differences to look at, {expected} that the tiers and sizes bring"
