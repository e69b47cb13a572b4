"""Counting events in raw samples of counters, exactly: nothing is extrapolated. Pure.

What `increase()` does not see is counted here: a counter that appears while its process is being scraped began at 0, so
its first sample counts too. A service's first errors make a new series, and they are what a gate is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Series = Mapping[str, Any]
"""`metric` (labels) and `values`: (seconds, value as text) pairs, oldest first, as a range selector is answered."""
Points = Sequence[tuple[float, float]]

UP, BEGAN = "up", "process_start_time_seconds"
CONTEXT = (UP, BEGAN)
"""What is asked for beside the counters: when their process was scraped, and when it began."""


@dataclass(frozen=True)
class Span:
    """From when to when, in seconds since 1970; `since` itself no longer belongs to it."""

    since: float
    until: float

    @property
    def seconds(self) -> float:
        return self.until - self.since

    def later(self, seconds: float) -> Span:
        """The same length, so much later."""
        return Span(self.since + seconds, self.until + seconds)

    def last(self, seconds: float) -> Span:
        """Its last part."""
        return Span(max(self.since, self.until - seconds), self.until)


class Processes:
    """When each process (by its pod) was scraped, and when it began, as far as the samples tell."""

    def __init__(self, series: Iterable[Series]) -> None:
        self._scraped: dict[str, list[float]] = defaultdict(list)
        self._began: dict[str, list[float]] = defaultdict(list)
        for one in series:
            self._note(_pod(one), one["metric"].get("__name__"), points(one))

    def began(self, pod: str) -> list[float]:
        """The start of each process that ran in the pod, oldest first."""
        return self._began[pod]

    def from_nothing(self, pod: str, first: float, earliest: float) -> bool:
        """Whether a counter whose first sample is at `first` counted from 0: its process was scraped without it before,
        or is itself younger than the `earliest` moment that was asked about."""
        if any(at < first for at in self._scraped[pod]):
            return True
        return any(earliest <= began <= first for began in self._began[pod])

    def restarts(self, span: Span) -> int:
        """How many processes began in the span in pods where another had run before."""
        return sum(sum(span.since < at <= span.until for at in began[1:]) for began in self._began.values())

    def latest(self) -> dict[str, float]:
        """When the process that runs now began, in each pod."""
        return {pod: began[-1] for pod, began in self._began.items() if began}

    def alive(self) -> int:
        """How many pods were scraped."""
        return sum(bool(times) for times in self._scraped.values())

    def _note(self, pod: str, name: str | None, values: Points) -> None:
        if name == UP:
            self._scraped[pod] += [at for at, up in values if up == 1]
        elif name == BEGAN:
            self._began[pod] = sorted({*self._began[pod], *(began for _, began in values)})


def counted(series: Iterable[Series], processes: Processes, span: Span, earliest: float) -> int:
    """By how much counters grew together in the span. The series may begin before it, from `earliest` on."""
    return round(sum(_growth(one, processes, span, earliest) for one in series))


def increase(values: Points, began: Sequence[float] = ()) -> float:
    """How much one counter grew from its first sample to its last.

    One that fell, or whose process began in between, started anew: what it shows then is what came since.
    """
    return sum(
        after - before if after >= before and not any(then < start <= now for start in began) else after
        for (then, before), (now, after) in pairwise(values)
    )


def points(one: Series) -> list[tuple[float, float]]:
    return [(float(at), float(value)) for at, value in one.get("values") or ()]


def _growth(one: Series, processes: Processes, span: Span, earliest: float) -> float:
    values, pod = points(one), _pod(one)
    within = [point for point in values if span.since < point[0] <= span.until]
    if not within:
        return 0.0
    return increase([*_base(values, within[0][0], processes, pod, span, earliest), *within], processes.began(pod))


def _base(
    values: Points, first: float, processes: Processes, pod: str, span: Span, earliest: float
) -> Iterator[tuple[float, float]]:
    """What the counter showed when the span began: its last sample before it, or nothing where it was not there yet."""
    before = [point for point in values if point[0] <= span.since]
    if before:
        yield before[-1]
    elif processes.from_nothing(pod, first, earliest):
        yield (first, 0.0)


def _pod(one: Series) -> str:
    labels = one["metric"]
    return str(labels.get("pod") or labels.get("instance") or "")
