"""Judges a service by its own objectives, over the whole of a span and over its last part, beside a baseline if asked.

The last part alone would miss what is bad by little; the whole alone would hide a release that turned bad late behind
all that it did well before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cli.gates.answers import Answer
from cli.gates.builtin import Gate, Service
from cli.gates.counting import Seen, Source, seen
from cli.gates.judge import Counts, Judgement, absolute, compared, excused
from cli.gates.samples import Span

SLOW = 0.1
"""The share of requests beyond the baseline's 95th percentile that nobody minds: twice the baseline's own."""


@dataclass(frozen=True)
class Rules:
    """How sure one must be: events needed, significance of one test, and the seconds of a span's last part."""

    at_least: int
    significance: float
    recent: float


@dataclass(frozen=True)
class Pair:
    """The gate's events of the candidate, and of its baseline, in the same span."""

    span: Span
    candidate: Counts
    baseline: Counts | None


def answer(source: Source, gate: Gate, baseline: Service | None, span: Span, rules: Rules) -> Answer:
    """What an objective says of a span."""
    pairs = _pairs(source, gate, baseline, span, rules)
    judged = [(pair, _judged(pair, gate.limit, rules)) for pair in pairs]
    return _answer(gate, *_worst(judged))


def slower(source: Source, gate: Gate, baseline: Service, span: Span, rules: Rules) -> Answer:
    """Whether more requests than the baseline's are slower than its own 95th percentile.

    A quantile test: where both are alike, the same share of their requests is beyond any bound (Mood 1954).
    """
    pairs = _pairs(source, gate, baseline, span, rules)
    judged = [(pair, _beside(pair, rules, tolerance=1.0, least=SLOW)) for pair in pairs]
    return _answer(gate, *_worst(judged))


def tests(baseline: bool) -> int:
    """How many tests one objective takes in one look."""
    return 4 if baseline else 2


def _pairs(source: Source, gate: Gate, baseline: Service | None, span: Span, rules: Rules) -> Iterator[Pair]:
    own = seen(source, gate.selection, span)
    other = seen(source, replace(gate, service=baseline).selection, span) if baseline else None
    for part in dict.fromkeys((span, span.last(rules.recent))):
        yield Pair(part, own.counts(gate, part), _of_baseline(other, gate, baseline, part))


def _of_baseline(other: Seen | None, gate: Gate, baseline: Service | None, span: Span) -> Counts | None:
    return other.counts(replace(gate, service=baseline), span) if other and baseline else None


def _judged(pair: Pair, limit: float, rules: Rules) -> Judgement:
    alone = absolute(pair.candidate, limit, rules.at_least, rules.significance)
    if pair.baseline is None:
        return alone
    beside = _beside(pair, rules)
    return beside if beside.verdict == "fail" else excused(alone, pair.baseline, limit, beside)


def _beside(pair: Pair, rules: Rules, **how: float) -> Judgement:
    assert pair.baseline is not None
    return compared(pair.candidate, pair.baseline, rules.at_least, significance=rules.significance, **how)


def _worst(judged: Sequence[tuple[Pair, Judgement]]) -> tuple[Pair, Judgement]:
    """The part that fails; else the whole: that its last part alone has too few events says nothing."""
    return next((row for row in judged if row[1].verdict == "fail"), judged[0])


def _answer(gate: Gate, pair: Pair, judgement: Judgement) -> Answer:
    values: dict[str, float | int | str] = {
        "share": round(pair.candidate.share, 6),
        "limit": gate.limit,
        "events": pair.candidate.total,
        "seconds": round(pair.span.seconds),
    }
    if pair.baseline is not None:
        values |= {"baseline_share": round(pair.baseline.share, 6), "baseline_events": pair.baseline.total}
    return Answer(gate.service.name, gate.name, judgement, gate.query(pair.span.seconds), values)
