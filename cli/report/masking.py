"""A second fence around secrets: what the settings do not mark as secret and yet is one, by where it stands.

Everything marked is a placeholder in the model already. Here go the contents of a Secret, whatever a variable, a
setting or a line of a configuration file calls a password or token, passwords in URLs, private keys, and tokens of
well-known shapes. Every output shows masked reviews only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cli.engine import values
from cli.engine.model import ABSENT, SECRET, UNKNOWN, Change, Diagnostic, FieldChange
from cli.report import hiding
from cli.review.model import Blast, Finding, Reviewed

_SECRET_KIND = "Secret"
_CONTENTS = frozenset({"data", "stringData"})


def masked(reviews: Sequence[Reviewed]) -> tuple[Reviewed, ...]:
    """The same reviews, free of secrets."""
    return tuple(_review(review) for review in reviews)


def value(given: Any, called: str = "") -> Any:
    """A value at any depth, free of secrets. `called`: the name under which it stands."""
    if isinstance(given, dict):
        named = given.get("name")
        around = named if isinstance(named, str) else ""
        return {key: value(entry, around if key == "value" else str(key)) for key, entry in given.items()}
    if isinstance(given, list):
        return [SECRET if hiding.follows_flag(given, at) else value(entry, called) for at, entry in enumerate(given)]
    if not isinstance(given, str) or given in (SECRET, UNKNOWN):
        return given
    return SECRET if given and hiding.CALLED_SECRET.search(called) else hiding.text(given)


def _review(review: Reviewed) -> Reviewed:
    plan = replace(
        review.plan,
        changes=tuple(_change(change) for change in review.plan.changes),
        diagnostics=tuple(_diagnostic(entry) for entry in review.plan.diagnostics),
        declared=(),
        still=(),
    )
    reasons = tuple(replace(reason, text=hiding.message(reason.text)) for reason in review.reasons)
    findings = tuple(_finding(finding) for finding in review.findings)
    blast, failed = _blast(review.blast), hiding.message(review.failed)
    return replace(review, plan=plan, reasons=reasons, blast=blast, findings=findings, failed=failed)


def _blast(blast: Blast) -> Blast:
    """Its sentences quote what objects say."""
    return replace(
        blast,
        data_at_risk=tuple(map(hiding.message, blast.data_at_risk)),
        downtime=tuple(map(hiding.message, blast.downtime)),
        security=tuple(map(hiding.message, blast.security)),
        rollback=tuple(map(hiding.message, blast.rollback)),
    )


def _change(change: Change) -> Change:
    of_secret = change.kind == _SECRET_KIND
    return replace(
        change,
        fields=tuple(_field(entry, change) for entry in change.fields),
        before=_inputs(change.before, of_secret),
        after=_inputs(change.after, of_secret),
    )


def _inputs(inputs: dict[str, Any], of_secret: bool) -> dict[str, Any]:
    return {
        key: _hidden(entry) if of_secret and key in _CONTENTS else value(entry, key) for key, entry in inputs.items()
    }


def _field(entry: FieldChange, change: Change) -> FieldChange:
    steps = values.parse_path(entry.path)
    contents = change.kind == _SECRET_KIND and bool(steps) and steps[0] in _CONTENTS
    if contents or any(_follows_flag(side, steps) for side in (change.before, change.after)):
        return replace(entry, before=_hidden(entry.before), after=_hidden(entry.after), secret=True)
    called = _called(steps)
    before, after = value(entry.before, called), value(entry.after, called)
    hidden = (before, after) != (entry.before, entry.after)
    return replace(entry, before=before, after=after, secret=entry.secret or hidden)


def _follows_flag(inputs: Any, steps: values.Path) -> bool:
    """Whether a field is a word of a command that the word before it calls a secret."""
    *around, last = steps or ("",)
    if not isinstance(last, int):
        return False
    words = values.look_up_shown(inputs, tuple(around))
    return isinstance(words, list) and hiding.follows_flag(words, last)


def _called(steps: values.Path) -> str:
    """The name that a field goes by: of a variable its own, not `value`."""
    names = [str(step) for step in steps]
    return names[-2] if len(names) > 1 and names[-1] == "value" else names[-1] if names else ""


def _hidden(given: Any) -> Any:
    """Every leaf as a placeholder: the names of a Secret's keys may be seen, what they hold may not."""
    if isinstance(given, dict):
        return {key: _hidden(entry) for key, entry in given.items()}
    return given if given is ABSENT or given == UNKNOWN else SECRET


def _diagnostic(entry: Diagnostic) -> Diagnostic:
    return replace(entry, message=hiding.message(entry.message))


def _finding(finding: Finding) -> Finding:
    return replace(finding, message=hiding.message(finding.message), remedy=hiding.message(finding.remedy))
