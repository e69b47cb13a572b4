"""Whether a rollout spends what was left of an error budget: the bad events that a promise over 30 days may have.

What was left when the rollout began, the monitoring's own record says, as far back as it goes; what the new track
answered since is counted exactly. A budget that was spent before fails nothing: what mends it must be able to go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.gates.answers import Answer, silent
from cli.gates.builtin import Gate, Matcher, Selection
from cli.gates.counting import Source, seen
from cli.gates.judge import Counts, Judgement, absolute
from cli.gates.samples import Span
from components.prometheus.metrics import BAD_EVENTS, EVENTS, PROMISED_DAYS, RECORDED_EVERY

if TYPE_CHECKING:
    from cli.gates.objectives import Rules
    from cli.gates.prometheus import Prometheus

TESTS = 1
"""How many statistical tests one budget takes in one look."""
COUNTED = 3600.0
"""Seconds of a longer rollout that are counted, its last ones: raw samples of a whole day are too many to ask for."""


@dataclass(frozen=True)
class Before:
    """A service's events before the rollout, and how many days of them are on record."""

    events: float = 0.0
    bad: float = 0.0
    days: float = 0.0

    def left(self, limit: float) -> float:
        """How many more bad events there may be; less than 0: the budget is spent."""
        return limit * self.events - self.bad

    def __str__(self) -> str:
        return f"{self.days:.1f} of {PROMISED_DAYS} days on record" if self.days else "nothing on record from before"


def name_of(gate: Gate) -> str:
    return f"{gate.name}-budget"


def answer(prometheus: Prometheus, source: Source, gate: Gate, span: Span, rules: Rules) -> Answer:
    """What a promise's budget says of a rollout that began with the span."""
    name, asked = name_of(gate), query(gate)
    try:
        before = _before(prometheus.query(asked, span.since))
    except TurnoutError as error:
        return silent(gate.service.name, name, error, asked)
    part = span.last(COUNTED)
    own = seen(source, gate.selection, part).counts(gate, part)
    return Answer(gate.service.name, name, judged(before, own, gate.limit, rules), asked, _values(before, own, gate))


def query(gate: Gate) -> str:
    """What to ask Prometheus, as of the moment when the rollout began: one figure a row."""
    service = gate.service
    labels = Matcher("slo", "=", gate.name), Matcher("namespace", "=", service.namespace)
    events, bad = (
        f"{Selection((one,), (*labels, Matcher('service', '=', service.name)))}[{PROMISED_DAYS}d]"
        for one in (EVENTS, BAD_EVENTS)
    )
    rows = {
        "events": f"{RECORDED_EVERY} * sum_over_time({events})",
        "bad": f"{RECORDED_EVERY} * sum_over_time({bad})",
        "days": f"{RECORDED_EVERY} / 86400 * count_over_time({events})",
    }
    return " or ".join(f'label_replace({one}, "figure", "{name}", "", "")' for name, one in rows.items())


def judged(before: Before, own: Counts, limit: float, rules: Rules) -> Judgement:
    """Whether the rollout's own bad events, beyond those that its own requests may have, are more than were left.

    Of a short record a single one would be: so they must be more than chance explains, too.
    """
    left = before.left(limit)
    worse = absolute(own, limit, rules.at_least, rules.significance)
    if worse.verdict == "fail" and left >= 0 and own.bad - limit * own.total > left:
        return Judgement("fail", f"{own} spend the {left:.0f} that were left ({before})", own, worse.chance)
    enough = absolute(Counts(0, own.total), limit, rules.at_least, rules.significance)
    if enough.verdict == "no data":
        return Judgement("no data", enough.why, own, worse.chance)
    said = f"{left:.0f} were left" if left >= 0 else "the budget was spent before the rollout began"
    return Judgement("pass", f"{own}; {said} ({before})", own, worse.chance)


def _before(rows: Sequence[Any]) -> Before:
    return Before(**{row["metric"]["figure"]: float(row["value"][1]) for row in rows})


def _values(before: Before, own: Counts, gate: Gate) -> dict[str, float | int | str]:
    return {
        "left": round(before.left(gate.limit), 1),
        "bad_before": round(before.bad),
        "events_before": round(before.events),
        "days": round(before.days, 2),
        "bad": own.bad,
        "events": own.total,
        "limit": gate.limit,
    }
