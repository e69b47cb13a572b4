"""A validation as lines for a terminal: the worst first, each with its places and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from cli.report.text import Line
from cli.validate.model import Finding, Level, Report

_STYLES = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "cyan"}
_WORDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}


def lines(report: Report, *, strict: bool) -> list[Line]:
    """Every finding, and a summary."""
    shown = [line for finding in report.findings if not finding.accepted for line in _finding(finding)]
    return [*shown, _summary(report, strict=strict)]


def _finding(finding: Finding) -> Iterator[Line]:
    first, *others = finding.places
    yield Line(f"{first}: {finding.level.value}: {finding.message} [{finding.rule}]", _STYLES[finding.level])
    yield from (Line(f"    see {place}", "dim") for place in others)
    yield Line(f"    next: {finding.remedy}")


def _summary(report: Report, *, strict: bool) -> Line:
    counts = [(len(report.of(level)), _WORDS[level]) for level in Level]
    said = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count) or "nothing to mend"
    accepted = sum(bool(finding.accepted) for finding in report.findings)
    agreed = f", {accepted} agreed in SSOT_LOCK.yml" if accepted else ""
    names = " ".join(report.environments)
    style = "bold red" if report.fails(strict=strict) else "bold"
    return Line(f"{names}: {said}{agreed} · {report.seconds:.1f} s", style)
