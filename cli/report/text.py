"""Plans and outcomes as lines of styled text, apart from any terminal: by component, then resource, then field."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cli.engine.model import ABSENT, Change, FieldChange, Operation, Outcome, Plan, ResourceFailure, Update

MARKS = {
    Operation.CREATE: ("+", "green"),
    Operation.UPDATE: ("~", "yellow"),
    Operation.REPLACE: ("±", "magenta"),
    Operation.DELETE: ("-", "red"),
    Operation.RETAIN: ("·", "dim"),
    Operation.READ: (">", "cyan"),
    Operation.IMPORT: ("=", "cyan"),
    Operation.REFRESH: ("~", "yellow"),
    Operation.SAME: (" ", ""),
}
_WORDS = {
    "create": ("to create", "created"),
    "update": ("to update", "updated"),
    "replace": ("to replace", "replaced"),
    "delete": ("to delete", "deleted"),
    "retain": ("kept in the cluster", "kept in the cluster"),
    "import": ("to import", "imported"),
    "same": ("unchanged", "unchanged"),
}
_LONGEST = 160
_BINARY = "binaryData"
_CONTEXT = 1
_FIELDS_SHOWN = frozenset({Operation.UPDATE, Operation.REPLACE, Operation.REFRESH})


@dataclass(frozen=True)
class Line:
    """One line of text. `style` is a rich style."""

    text: str
    style: str = ""


def plan_lines(plan: Plan) -> list[Line]:
    """The whole plan, its diagnostics and its summary."""
    return [*change_lines(plan.changes), *_said(plan.diagnostics), Line(plan_summary(plan), "bold")]


def plan_summary(plan: Plan) -> str:
    """`3 to create, 97 unchanged · 1.5 s · pulumi 3.259.0 · …`."""
    tools = f"{plan.seconds:.1f} s · {plan.engine} · {plan.provider}"
    if plan.empty:
        return f"{plan.environment}: no changes, {plan.resources} resources · {tools}"
    return f"{plan.environment}: {counts(plan.counts, done=False)} · {tools}"


def outcome_lines(outcome: Outcome) -> list[Line]:
    """What was done, what failed and why, and the outputs."""
    failed = [line for failure in outcome.failures for line in _failure(failure)]
    told = {failure.message for failure in outcome.failures}
    said = [entry for entry in outcome.diagnostics if entry.message not in told]
    return [*_said(said), *failed, *_outputs(outcome.outputs), _outcome_summary(outcome)]


def change_lines(changes: Iterable[Change]) -> list[Line]:
    """Changes by component; unnamed ones (of the environment itself) first."""
    ordered = sorted(changes, key=lambda change: change.component)
    return [
        line
        for component, group in groupby(ordered, key=lambda change: change.component)
        for line in (Line(component or "environment", "bold"), *(line for change in group for line in _change(change)))
    ]


def history_lines(updates: Iterable[Update]) -> list[Line]:
    """One line an update, newest first."""
    return [
        Line(
            f"{update.at[:19]}Z  {update.kind:<8} {update.result:<10} {counts(update.counts, done=True)}"
            + (f"  {update.git[:10]}" if update.git else "")
            + (f"  {update.message}" if update.message else ""),
            "" if update.result == "succeeded" else "red",
        )
        for update in updates
    ]


def counts(numbers: dict[str, int], *, done: bool) -> str:
    """`2 created, 40 unchanged`."""
    known = [f"{numbers[name]} {words[done]}" for name, words in _WORDS.items() if numbers.get(name)]
    return ", ".join(known) or "nothing to do"


def _change(change: Change) -> Iterator[Line]:
    mark, style = MARKS[change.operation]
    effects = f"  ({', '.join(change.effects)})" if change.effects else ""
    kept = "  (kept in the cluster)" if change.operation is Operation.RETAIN else ""
    yield Line(f"  {mark} {change.type.rsplit(':', 1)[-1]} {change.name}{effects}{kept}", style)
    if change.operation in _FIELDS_SHOWN:
        for entry in change.fields:
            yield from _field(entry)


def _field(entry: FieldChange) -> Iterator[Line]:
    notes = [note for note, holds in (("replaces", entry.replaces), ("possible", not entry.certain)) if holds]
    note = f"  ({', '.join(notes)})" if notes else ""
    if entry.path.startswith(_BINARY):
        yield Line(f"      {entry.path}: {_size(entry.before)} → {_size(entry.after)}{note}")
    elif _is_long_text(entry.before) and _is_long_text(entry.after):
        yield Line(f"      {entry.path}:{note}")
        yield from _text_difference(entry.before, entry.after)
    elif entry.before is ABSENT:
        yield Line(f"      {entry.path}: + {shown(entry.after)}{note}", "green")
    elif entry.after is ABSENT:
        yield Line(f"      {entry.path}: - {shown(entry.before)}{note}", "red")
    else:
        yield Line(f"      {entry.path}: {shown(entry.before)} → {shown(entry.after)}{note}")


def shown(value: Any) -> str:
    """A value on one line; long ones are cut in the middle."""
    if value is ABSENT:
        return "(none)"
    text = value if isinstance(value, str) and value.startswith("[") else json.dumps(value, ensure_ascii=False)
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]} … {text[-half:]}"


def _size(value: Any) -> str:
    return f"{len(value) * 3 // 4} bytes" if isinstance(value, str) and not value.startswith("[") else shown(value)


def _is_long_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _text_difference(before: str, after: str) -> Iterator[Line]:
    difference = difflib.unified_diff(before.splitlines(), after.splitlines(), n=_CONTEXT, lineterm="")
    for line in list(difference)[2:]:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
        yield Line(f"        {line}", style)


def _failure(failure: ResourceFailure) -> Iterator[Line]:
    kind = failure.urn.split("::")[-2].rsplit(":", 1)[-1] if "::" in failure.urn else ""
    yield Line(f"  ✗ {kind} {failure.name}", "red")
    for text in failure.message.splitlines():
        yield Line(f"      {text}")


def _said(diagnostics: Iterable[Any]) -> list[Line]:
    styles = {"error": "red", "warning": "yellow"}
    return [Line(f"{entry.severity}: {entry.message}", styles.get(entry.severity, "dim")) for entry in diagnostics]


def _outputs(outputs: dict[str, Any]) -> Iterator[Line]:
    for name, value in outputs.items():
        yield Line(f"  {name}: {shown(value)}", "cyan")


def _outcome_summary(outcome: Outcome) -> Line:
    ending = "" if outcome.ok else "interrupted, " if outcome.interrupted else "failed, "
    text = f"{outcome.environment}: {ending}{counts(outcome.counts, done=True)} · {outcome.seconds:.1f} s"
    return Line(f"{text} · {outcome.engine} · {outcome.provider}", "bold" if outcome.ok else "bold red")
