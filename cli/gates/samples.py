"""Counting events in raw samples of counters, exactly: nothing is extrapolated. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Series = Sequence[Sequence[Any]]
"""(seconds, value as text) pairs of one counter, oldest first, as Prometheus answers a range selector."""


def counted(series: Iterable[Mapping[str, Any]]) -> int:
    """By how much counters grew together, over the samples that a range selector gave.

    A counter that fell was started anew: what it shows then is what came since.
    """
    return round(sum(increase(one.get("values") or ()) for one in series))


def increase(values: Series) -> float:
    """How much one counter grew from its first sample to its last."""
    numbers = [float(value) for _, value in values]
    return sum(after - before if after >= before else after for before, after in pairwise(numbers))
