"""Whether bad events are too many to be chance: exact tests on counts. Pure.

Both are one-sided and exact, so that they hold for the few events of a short window too. Sources: the binomial test
(Clopper and Pearson 1934) and Fisher's exact test (Fisher 1935).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, lgamma, log

SIGNIFICANCE = 0.001
"""The share of healthy windows that may be called bad by chance."""


def binomial_tail(bad: int, total: int, share: float) -> float:
    """The probability of at least `bad` bad ones among `total` events of which a `share` (0 to 1) is bad."""
    if bad <= 0:
        return 1.0
    if share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    terms = (_log_choose(total, k) + k * log(share) + (total - k) * log(1 - share) for k in range(bad, total + 1))
    return min(1.0, _sum(terms))


def fisher_tail(bad: int, total: int, other_bad: int, other_total: int) -> float:
    """The probability that the first of two groups has at least `bad` of all bad ones, were both equally good."""
    all_bad, all_events = bad + other_bad, total + other_total
    whole = _log_choose(all_events, total)
    terms = (
        _log_choose(all_bad, k) + _log_choose(all_events - all_bad, total - k) - whole
        for k in range(bad, min(all_bad, total) + 1)
        if 0 <= total - k <= all_events - all_bad
    )
    return min(1.0, _sum(terms))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _sum(logarithms: Iterable[float]) -> float:
    return sum(map(exp, logarithms))
