"""Outcomes and the engine's history as lines of styled text, apart from any terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.engine.model import ABSENT, Operation, Outcome, ResourceFailure, Update
from cli.report import hiding

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


@dataclass(frozen=True)
class Line:
    """One line of text. `style` is a rich style."""

    text: str
    style: str = ""


def outcome_lines(outcome: Outcome) -> list[Line]:
    """What was done, what failed and why, and the outputs."""
    failed = [line for failure in outcome.failures for line in _failure(failure)]
    told = {failure.message for failure in outcome.failures}
    said = [entry for entry in outcome.diagnostics if entry.message not in told]
    return [*_said(said), *failed, *_outputs(outcome.outputs), _outcome_summary(outcome)]


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


def shown(value: Any) -> str:
    """A value on one line; long ones are cut in the middle."""
    if value is ABSENT:
        return "(none)"
    text = value if isinstance(value, str) and value.startswith("[") else json.dumps(value, ensure_ascii=False)
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]} … {text[-half:]}"


def _failure(failure: ResourceFailure) -> Iterator[Line]:
    kind = failure.urn.split("::")[-2].rsplit(":", 1)[-1] if "::" in failure.urn else ""
    yield Line(f"  ✗ {kind} {failure.name}", "red")
    for text in hiding.message(failure.message).splitlines():
        yield Line(f"      {text}")


def _said(diagnostics: Iterable[Any]) -> list[Line]:
    styles = {"error": "red", "warning": "yellow"}
    return [
        Line(f"{entry.severity}: {hiding.message(entry.message)}", styles.get(entry.severity, "dim"))
        for entry in diagnostics
    ]


def _outputs(outputs: dict[str, Any]) -> Iterator[Line]:
    for name, value in outputs.items():
        yield Line(f"  {name}: {shown(value)}", "cyan")


def _outcome_summary(outcome: Outcome) -> Line:
    ending = "" if outcome.ok else "interrupted, " if outcome.interrupted else "failed, "
    text = f"{outcome.environment}: {ending}{counts(outcome.counts, done=True)} · {outcome.seconds:.1f} s"
    return Line(f"{text} · {outcome.engine} · {outcome.provider}", "bold" if outcome.ok else "bold red")
