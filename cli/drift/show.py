"""Drift as lines of text: by component, then object, then field, each with who and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from cli.drift.model import Author, Drifted, Fate, Field, Report, Stranger, What
from cli.engine.locks import age
from cli.report import plain
from cli.report.plain import value as shown
from cli.report.text import Line

_STRANGERS: Final = 30
"""That many are shown; `--json` has all."""
_FATES: Final = {
    Fate.CHANGED: ("~", "yellow", ""),
    Fate.DELETED: ("-", "red", ": deleted"),
    Fate.REMADE: ("±", "magenta", ": deleted and made again"),
}


def lines(report: Report, now: datetime | None = None) -> list[Line]:
    """The whole report."""
    moment = now or datetime.now(UTC)
    said = [
        *_objects(report.objects, moment),
        *_strangers(report.strangers, moment),
        *(Line(f"note: {text}", "dim") for text in report.notes),
        Line(summary(report), "bold"),
        *(Line(f"next: {text}") for text in _next(report)),
    ]
    return [Line(plain.visible(line.text), line.style) for line in said]


def summary(report: Report) -> str:
    """`prod: 2 of 55 objects were changed by others, 1 that nobody declared · 0.3 s`"""
    more = f", {len(report.strangers)} that nobody declared" if report.strangers else ""
    return f"{report.environment}: {report.summary}{more} · {report.seconds:.1f} s"


def by(authors: Sequence[Author], now: datetime, *, sure: bool = True) -> str:
    """`kubectl edit (kubectl-edit), 5 min ago`"""
    if not authors:
        return "by nobody who left a name"
    said = ", ".join(f"{author}{f', {age(author.at, now)} ago' if author.at else ''}" for author in authors)
    return said if sure else f"probably {said}"


def _objects(objects: Iterable[Drifted], now: datetime) -> Iterator[Line]:
    for component, group in groupby(objects, key=lambda one: one.component):
        yield Line(component or "environment", "bold")
        for one in group:
            yield from _object(one, now)


def _object(one: Drifted, now: datetime) -> Iterator[Line]:
    mark, style, text = _FATES[one.fate]
    who = f", {by(one.by, now)}" if one.by else ""
    passed = f"  (ignored: {one.ignored})" if one.ignored else ""
    only_beside = one.fate is Fate.CHANGED and not one.fields
    yield Line(f"  {'·' if only_beside else mark} {one.place}{text}{who}{passed}", "dim" if only_beside else style)
    for field in one.fields:
        yield _field(field, now)
    for field in one.beside:
        yield Line(f"      beside: {_difference(field)}   {by(field.by, now, sure=field.sure)}", "dim")


def _field(field: Field, now: datetime) -> Line:
    passed = f"  (ignored: {field.ignored})" if field.ignored else ""
    styles = {What.ADDED: "green", What.REMOVED: "red"}
    style = "dim" if field.ignored else styles.get(field.what, "")
    return Line(f"      {_difference(field)}   {by(field.by, now, sure=field.sure)}{passed}", style)


def _difference(field: Field) -> str:
    if field.what is What.ADDED:
        return f"{field.path}: + {shown(field.live)}"
    if field.what is What.REMOVED:
        return f"{field.path}: - {shown(field.declared)}"
    if field.what is What.TAKEN:
        return f"{field.path}: {shown(field.live)}, as declared, but no longer ours"
    return f"{field.path}: {shown(field.declared)} → {shown(field.live)}"


def _strangers(found: Sequence[Stranger], now: datetime) -> Iterator[Line]:
    if not found:
        return
    yield Line("declared by nobody (no drift, for your information)", "bold")
    for one in found[:_STRANGERS]:
        note = f"  ({one.note})" if one.note else ""
        made = f", made {age(one.at, now)} ago" if one.at else ""
        who = ", ".join(map(str, one.by)) or "nobody who left a name"
        yield Line(f"  ? {one.place}{note}   by {who}{made}", "cyan")
    if len(found) > _STRANGERS:
        yield Line(f"  … and {len(found) - _STRANGERS} more: --json lists all", "cyan")


def _next(report: Report) -> Iterator[str]:
    if report.drifted:
        command = f"turnout drift {report.environment}"
        yield f"{command} --revert puts back what was declared; --adopt, --ignore: {command} --help"
