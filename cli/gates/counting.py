"""The events of one gate in one span of time, from a source of raw samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cli.gates.builtin import Gate, Matcher, Selection, Service
from cli.gates.judge import Counts
from cli.gates.samples import CONTEXT, Processes, Series, Span, counted
from components.prometheus.metrics import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOKBACK = 60.0
"""Seconds before a span in which a counter's last sample is looked for: several scrapes."""
LONG_ENOUGH = 60.0
"""Seconds of a baseline that tell how quick it is: a whole histogram is many series."""
_BUCKET = f"{REQUESTS}_bucket"


class Source(Protocol):
    """Raw samples: those of Prometheus, or of a recording."""

    def series(self, selection: Selection, span: Span) -> Sequence[dict[str, Any]]: ...


@dataclass(frozen=True)
class Seen:
    """What a source has of one selection, from a while before the span on."""

    series: Sequence[Series]
    processes: Processes
    earliest: float

    def count(self, name: str, span: Span, which: Matcher | None = None) -> int:
        """By how much the counters of that name (and label) grew."""
        named = (one for one in self.series if one["metric"]["__name__"] == name)
        wanted = (one for one in named if which is None or which.fits(one["metric"]))
        return counted(wanted, self.processes, span, self.earliest)

    def counts(self, gate: Gate, span: Span) -> Counts:
        """The gate's events in the span, or in a part of it."""
        total = self.count(gate.whole, span)
        part = min(self.count(gate.part, span, gate.which), total)
        return Counts(part if gate.sense == "bad" else total - part, total)


def seen(source: Source, selection: Selection, span: Span) -> Seen:
    """Everything about a selection that a span, or any last part of it, is counted from."""
    longer = Span(span.since - LOOKBACK, span.until)
    series = source.series(selection, longer)
    return Seen(series, Processes(series), longer.since)


def bound_of(source: Source, service: Service, span: Span, quantile: float = 0.95) -> str | None:
    """The histogram's bound within which that share of the requests was answered, as it is spelled; None: no such."""
    selection = Selection((*CONTEXT, _BUCKET), service.matchers)
    span = span.last(LONG_ENOUGH)
    found = seen(source, selection, span)
    bounds = {one["metric"]["le"] for one in found.series if "le" in one["metric"]}
    steps = [(bound, found.count(_BUCKET, span, Matcher("le", "=", bound))) for bound in sorted(bounds, key=float)]
    return _first(steps, quantile)


def _first(steps: Iterable[tuple[str, int]], quantile: float) -> str | None:
    rows = list(steps)
    total = rows[-1][1] if rows else 0
    finite = (bound for bound, count in rows if count >= quantile * total and bound != "+Inf")
    return next(finite, None) if total else None
