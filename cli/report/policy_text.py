"""Policies as lines of text: the list, one rule, and a report of environments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cli.report.text import Line
from components.environment import TIERS

if TYPE_CHECKING:
    from cli.review.model import Finding
    from cli.review.policy_report import Kept
    from infra.policies import Rule, Tally

_WIDTH = 100
_COLUMN = 22


def listed() -> list[Line]:
    """Every rule with its levels, in groups."""
    from infra.policies import GROUPS, RULES

    wide = max(len(rule.id) for rule in RULES)
    lines = [Line(f"  {'':{wide}}  {'  '.join(f'{tier:9}' for tier in TIERS)}".rstrip(), "dim")]
    for group, rules in GROUPS.items():
        lines.append(Line(group, "bold"))
        for rule in rules:
            levels = "  ".join(f"{rule.levels.of(tier):9}" for tier in TIERS)
            lines.append(Line(f"  {rule.id:{wide}}  {levels}".rstrip()))
    return lines


def shown(rule: Rule, fixture: str) -> list[Line]:
    """One rule: why, what instead, how much it weighs, what it supports, and what breaks and keeps it."""
    levels = ", ".join(f"{rule.levels.of(tier)} in {tier}" for tier in TIERS)
    supports = [f"  {each}" for each in rule.supports]
    return [
        Line(rule.id, "bold"),
        *map(Line, textwrap.wrap(f"why: {rule.why}", _WIDTH)),
        *map(Line, textwrap.wrap(f"instead: {rule.remedy}", _WIDTH)),
        Line(f"level: {levels}"),
        *map(Line, ["supports:", *supports] if supports else []),
        Line("what breaks it, and what keeps it:"),
        *(Line(f"  {line}", "dim") for line in fixture.splitlines()),
    ]


def report(reports: Sequence[Kept]) -> list[Line]:
    """A table of rules by environments, then what is broken, then what is excepted and until when."""
    lines = list(_table([each for each in reports if not each.failed]))
    for each in reports:
        lines += _broken(each)
    lines += _exceptions(reports)
    return [*lines, *map(_summary, reports)]


def _table(reports: Sequence[Kept]) -> Iterator[Line]:
    """Each cell: the level, and how many objects keep the rule, break it, are excepted from it."""
    rows = {each.environment: {tally.rule: tally for tally in each.tallies} for each in reports}
    rules = list(dict.fromkeys(rule for row in rows.values() for rule in row))
    if not rules:
        return
    wide = max(map(len, rules))
    heads = "".join(f"{name:{_COLUMN}}" for name in rows)
    yield Line(f"{'passed/failed/excepted':{wide}}  {heads}".rstrip(), "dim")
    for rule in rules:
        found = [row.get(rule) for row in rows.values()]
        cells = "".join(f"{_cell(tally):{_COLUMN}}" for tally in found)
        yield Line(f"{rule:{wide}}  {cells}".rstrip(), _style(tally for tally in found if tally))


def _cell(tally: Tally | None) -> str:
    return f"{tally.level} {tally.passed}/{tally.failed}/{tally.excepted}" if tally else "disabled"


def _style(tallies: Iterable[Tally]) -> str:
    failed = [tally.level for tally in tallies if tally.failed]
    return "red" if "mandatory" in failed else "yellow" if failed else ""


def _broken(each: Kept) -> Iterator[Line]:
    if each.failed:
        yield Line(f"{each.environment}: {each.failed}", "red")
    for finding in each.findings:
        if not finding.excepted:
            yield Line(f"{each.environment}: {finding.level}: {_said(finding)}", "red" if finding.refuses else "yellow")
            yield Line(f"  instead: {finding.remedy}", "dim")


def _said(finding: Finding) -> str:
    path = f" ({finding.path})" if finding.path else ""
    return f"{finding.rule}: {finding.where}: {finding.message}{path}"


def _exceptions(reports: Sequence[Kept]) -> Iterator[Line]:
    """What is excepted, each once with the environments where it is, the soonest end first."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in reports:
        for finding in each.findings:
            if finding.excepted:
                where = re.sub(rf"(?<= ){re.escape(each.environment)}(?=[-/]|$)", "ENV", finding.where)
                places = found.setdefault((finding.excepted, f"{finding.rule}: {where}"), [])
                places += [each.environment] if each.environment not in places else []
    if found:
        yield Line("Excepted", "bold")
    for (why, what), places in sorted(found.items(), key=lambda item: item[0][0].partition("until ")[2]):
        yield Line(f"  {what} ({', '.join(places)})")
        yield Line(f"    {why}", "dim")


def _summary(each: Kept) -> Line:
    if each.failed:
        return Line(f"{each.environment}: could not be looked at", "red")
    refusing = sum(finding.refuses for finding in each.findings)
    told = sum(not finding.excepted and not finding.refuses for finding in each.findings)
    kept = sum(not tally.failed for tally in each.tallies)
    said = f"{each.environment}: {kept} of {len(each.tallies)} policies kept"
    said += f", {refusing} findings refuse an apply" if refusing else ""
    said += f", {told} are advice" if told else ""
    return Line(said, "red" if refusing else "green")
