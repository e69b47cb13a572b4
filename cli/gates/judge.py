"""From counted events to a verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cli.gates.statistics import SIGNIFICANCE, binomial_tail, fisher_tail

Verdict = Literal["pass", "fail", "no data"]

AT_LEAST = 50
"""Events below which nothing can be said (Kayenta's least number of points)."""
TOLERANCE = 0.25
"""How much worse than its baseline a candidate may be, as a share of the baseline's own bad events."""


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


def absolute(counts: Counts, limit: float, at_least: int = AT_LEAST) -> Judgement:
    """Whether more than a share of `limit` (0 to 1) of the events is bad, beyond what chance explains."""
    if few := _too_few(counts, at_least):
        return few
    chance = binomial_tail(counts.bad, counts.total, limit)
    if counts.share > limit and chance < SIGNIFICANCE:
        return Judgement("fail", f"{counts}, {limit:.2%} may be", counts, chance)
    return Judgement("pass", f"{counts}, {limit:.2%} may be", counts, chance)


def compared(candidate: Counts, baseline: Counts, at_least: int = AT_LEAST, tolerance: float = TOLERANCE) -> Judgement:
    """Whether the candidate has more bad events than the baseline of the same time, beyond tolerance and chance."""
    if few := _too_few(candidate, at_least) or _too_few(baseline, at_least, "the baseline: "):
        return few
    chance = fisher_tail(candidate.bad, candidate.total, baseline.bad, baseline.total)
    worse = candidate.share > baseline.share * (1 + tolerance)
    verdict: Verdict = "fail" if worse and chance < SIGNIFICANCE else "pass"
    return Judgement(verdict, f"{candidate}, the baseline {baseline}", candidate, chance)


def worst(judgements: list[Judgement]) -> Verdict:
    """fail before no data before pass; of none: no data."""
    verdicts = [one.verdict for one in judgements]
    return next((bad for bad in ("fail", "no data") if bad in verdicts), "pass" if verdicts else "no data")


def _too_few(counts: Counts, at_least: int, of: str = "") -> Judgement | None:
    if counts.total >= at_least:
        return None
    return Judgement("no data", f"{of}{counts.total} events, at least {at_least} are needed", counts)
