"""Reviews as lines for a terminal: by component, resource and field; what is the same in many resources once; the risk
last, where a reader's eye is when the command ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from cli.engine.model import Change, Operation, Plan
from cli.report import view
from cli.report.entries import Entry
from cli.report.facts import Fact
from cli.report.text import MARKS, Line
from cli.report.view import EnvironmentView, Judged, ResourceView, Shared
from cli.review.model import Level, Reviewed

STYLES = {
    Level.CRITICAL: "bold red",
    Level.HIGH: "red",
    Level.MEDIUM: "yellow",
    Level.LOW: "",
    Level.NONE: "dim",
}
_MOST_RESOURCES = 150
"""Shown with their fields; of more, the worst are, and the rest is counted."""
_MOST_DIFF = 40
_MOST_NAMES = 12
_MOST_FINDINGS = 25
_MOST_ALIKE = 15
"""As many new or deleted resources of one kind in one component are named one by one."""
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_MARGINS = {"@": "@ "}
_COUNTED = frozenset({Operation.CREATE, Operation.DELETE, Operation.RETAIN, Operation.IMPORT})


def lines(reviews: Sequence[Reviewed]) -> list[Line]:
    """All environments, one after the other; of several, a table of them at the end."""
    views = view.of(reviews)
    shown = [line for one in views for line in _environment(one, titled=len(views) > 1)]
    return shown + (_overview(views) if len(views) > 1 else [])


def plan(plan: Plan) -> list[Line]:
    """One plan that nobody has judged."""
    return lines([Reviewed(plan)])


def changes(found: Iterable[Change]) -> list[Line]:
    """What was done, without a summary."""
    [one] = view.of([Reviewed(Plan("", tuple(found), {}, 0.0, "", ""))])
    return [*_shared(one.shared), *_components(one)]


def _environment(one: EnvironmentView, *, titled: bool) -> Iterator[Line]:
    if titled:
        yield Line(f"── {one.name} ", "bold")
    if one.failed:
        yield from _failed(one)
        return
    yield from _shared(one.shared)
    yield from _components(one)
    yield from (Line(f"{said.severity}: {said.text}", _said(said.severity)) for said in one.said)
    yield from _judgement(one)
    yield Line(f"{one.name}: {one.summary} · {_mode(one)} · {one.tools}", "bold")
    yield Line("")


def _failed(one: EnvironmentView) -> Iterator[Line]:
    yield Line(f"{one.name}: no plan: {one.failed}", "bold red")
    yield Line("")


def _mode(one: EnvironmentView) -> str:
    return f"{one.mode.value} {one.compared}".strip()


def _said(severity: str) -> str:
    return {"error": "red", "warning": "yellow"}.get(severity, "dim")


def _shared(shared: Iterable[Shared]) -> Iterator[Line]:
    for index, one in enumerate(shared):
        if index == 0:
            yield Line("the same change in many", "bold")
        mark, style = MARKS[one.operation]
        noted = f"  ({', '.join(one.effects)})" if one.effects else ""
        yield Line(f"  {mark} {one.where}: {_names(one.names)}{noted}", style)
        yield from _entry(one.entry)


def _names(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _components(one: EnvironmentView) -> Iterator[Line]:
    wanted = {resource.urn for resource in one.worst_first[:_MOST_RESOURCES]}
    for component in one.components:
        listed = [resource for resource in component.resources if resource.urn in wanted]
        told = list(_resources(listed))
        if told:
            yield Line(component.name, "bold")
            yield from told
    left = len(one.worst_first) - len(wanted)
    if left > 0:
        yield Line(f"and {left} more resources, none of them worse: --html FILE or --json shows all", "bold")


def _resources(resources: Iterable[ResourceView]) -> Iterator[Line]:
    for _, group in groupby(resources, key=lambda found: (found.operation, found.kind, found.notes, found.effects)):
        alike = list(group)
        if len(alike) > _MOST_ALIKE and alike[0].operation in _COUNTED:
            mark, style = MARKS[alike[0].operation]
            names = _names([one.name for one in alike])
            yield Line(f"  {mark} {len(alike)} {view.plural(alike[0].kind, len(alike))}: {names}", style)
        else:
            yield from (line for one in alike for line in _resource(one))


def _resource(one: ResourceView) -> Iterator[Line]:
    if one.told_by_others:
        return
    mark, style = MARKS[one.operation]
    noted = ", ".join([*one.effects, *one.notes])
    yield Line(f"  {mark} {one.title}{f'  ({noted})' if noted else ''}", style)
    for entry in one.entries:
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[Line]:
    note = f"  ({', '.join(entry.notes)})" if entry.notes else ""
    if entry.diff:
        yield Line(f"      {entry.label}:{note}")
        yield from _difference(entry)
    elif entry.before is None and entry.after is None:
        yield Line(f"      {entry.label}{note}")
    elif entry.before is None:
        yield Line(f"      {entry.label}: + {entry.after}{note}", "green")
    elif entry.after is None:
        yield Line(f"      {entry.label}: - {entry.before}{note}", "red")
    else:
        yield Line(f"      {entry.label}: {entry.before} → {entry.after}{note}")


def _difference(entry: Entry) -> Iterator[Line]:
    for line in entry.diff[:_MOST_DIFF]:
        yield Line(f"        {_MARGINS.get(line.mark, line.mark)}{line.text}", _DIFF_STYLES.get(line.mark, "dim"))
    if len(entry.diff) > _MOST_DIFF:
        yield Line(f"        … and {len(entry.diff) - _MOST_DIFF} more lines", "dim")


def _judgement(one: EnvironmentView) -> Iterator[Line]:
    yield from _findings(one.findings)
    if one.settled:
        yield Line(f"policies: {settled(one)}", "dim")
    yield from (_fact(fact) for fact in one.facts)
    if one.reasons or one.risk is not Level.NONE:
        yield Line(f"risk: {one.risk.value}{f' · {one.status}' if one.status else ''}", STYLES[one.risk])
    for reason in one.reasons:
        note = f"  ({reason.note})" if reason.note else ""
        yield Line(f"  {reason.level.value}: {reason.text}{note}", STYLES[reason.level])


def settled(one: EnvironmentView) -> str:
    """What is not told one by one, and where it is."""
    findings = "finding is" if len(one.settled) == 1 else "findings are"
    return f"{len(one.settled)} {findings} advisory or excepted and not of this change"


def _findings(findings: Sequence[Judged]) -> Iterator[Line]:
    for finding in findings[:_MOST_FINDINGS]:
        yield Line(f"policy ({finding.note}) {finding.text}", STYLES[finding.level])
        if finding.level is Level.HIGH and finding.more:
            yield Line(f"      {finding.more}", "dim")
    if len(findings) > _MOST_FINDINGS:
        yield Line(f"and {len(findings) - _MOST_FINDINGS} more findings: --json shows all", "dim")


def _fact(fact: Fact) -> Line:
    text = fact.text or _names(fact.items)
    return Line(f"{fact.label}: {text}", "yellow" if fact.serious else "")


def _overview(views: Sequence[EnvironmentView]) -> list[Line]:
    width = max(len(one.name) for one in views)
    return [Line(f"{one.name:<{width}}  {_in_short(one)}", STYLES[one.risk]) for one in views]


def _in_short(one: EnvironmentView) -> str:
    if one.failed:
        return "no plan"
    return " · ".join(part for part in (f"risk {one.risk.value}", one.summary, one.status) if part)
