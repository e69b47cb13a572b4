"""From counted events to a verdict. Pure.

Fewer than `at_least` events never pass: they are no data. They may fail, because the tests are exact for a few events
too: a candidate whose first ten answers are ten errors need not make forty more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from cli.gates.statistics import SIGNIFICANCE, binomial_tail, fisher_tail

Verdict = Literal["pass", "fail", "no data"]

AT_LEAST = 50
"""Events below which nothing is called good (Kayenta's least number of points)."""
TOLERANCE = 0.25
"""How much worse than its baseline a candidate may be, as a share of the baseline's own bad events (Kayenta's)."""


@dataclass(frozen=True)
class Counts:
    """Events of one window. None of them: nobody asked, or nobody counted."""

    bad: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        return self.bad / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.bad} of {self.total} ({self.share:.2%})"


@dataclass(frozen=True)
class Judgement:
    """What a gate says, and why. `chance`: how probable such a count is where all is well."""

    verdict: Verdict
    why: str
    counts: Counts = Counts()
    chance: float = 1.0

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "why": self.why,
            "bad": self.counts.bad,
            "total": self.counts.total,
            "chance": self.chance,
        }


def absolute(counts: Counts, limit: float, at_least: int = AT_LEAST, significance: float = SIGNIFICANCE) -> Judgement:
    """Whether more than a share of `limit` (0 to 1) of the events is bad, beyond what chance explains."""
    chance = binomial_tail(counts.bad, counts.total, limit) if counts.share > limit else 1.0
    said = Judgement("fail", f"{counts}, {limit:.2%} may be", counts, chance)
    return said if chance < significance else _too_few(counts, at_least) or _passed(said)


def compared(
    candidate: Counts,
    baseline: Counts,
    at_least: int = AT_LEAST,
    tolerance: float = TOLERANCE,
    least: float = 0.0,
    significance: float = SIGNIFICANCE,
) -> Judgement:
    """Whether the candidate has more bad events than the baseline of the same time, beyond tolerance and chance.

    `least`: the share of bad events below which nobody minds.
    """
    worse = candidate.share > max(least, baseline.share * (1 + tolerance))
    chance = fisher_tail(candidate.bad, candidate.total, baseline.bad, baseline.total) if worse else 1.0
    said = Judgement("fail", f"{candidate}, the baseline {baseline}", candidate, chance)
    few = _too_few(candidate, at_least) or _too_few(baseline, at_least, "the baseline: ")
    return said if chance < significance else few or _passed(said)


def excused(judgement: Judgement, baseline: Counts, limit: float, beside: Judgement) -> Judgement:
    """A broken promise that the baseline breaks as much is not the candidate's fault, and going back mends nothing."""
    if judgement.verdict != "fail" or beside.verdict == "fail" or baseline.share <= limit:
        return judgement
    why = f"{judgement.why}; the baseline is no better: {baseline}"
    return Judgement("pass", why, judgement.counts, judgement.chance)


def worst(judgements: Iterable[Judgement]) -> Verdict:
    """fail before no data before pass; of none: no data."""
    return worst_of(one.verdict for one in judgements)


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    found = list(verdicts)
    order: tuple[Verdict, ...] = ("fail", "no data")
    return next((bad for bad in order if bad in found), "pass" if found else "no data")


def _passed(said: Judgement) -> Judgement:
    return Judgement("pass", said.why, said.counts, said.chance)


def _too_few(counts: Counts, at_least: int, of: str = "") -> Judgement | None:
    if counts.total >= at_least:
        return None
    return Judgement("no data", f"{of}{counts.total} events, at least {at_least} are needed", counts)
