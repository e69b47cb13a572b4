"""Whether bad events are too many to be chance: exact tests on counts. Pure.

All are one-sided and exact, so that they hold for the few events of a short window too. Sources: the binomial test
(Clopper and Pearson 1934), Fisher's exact test (Fisher 1935), the Poisson test (Przyborowski and Wilenski 1940).

**Many looks.** A rollout is asked the same questions every few seconds. A test that is wrong once in a thousand looks
is wrong in every tenth rollout of a hundred looks. So a rollout has one allowance of false alarms, FALSE_ALARMS, shared
evenly among all tests of all its looks: by Boole's inequality the chance that any of them is wrong is then at
most the allowance, however much the windows overlap and the services depend on each other (Bonferroni; Dunn 1961,
"Multiple Comparisons among Means"). A mixture likelihood ratio that may be looked at all the time (Robbins 1970; Howard
and others 2021) was tried beside it: for the few dozen events that decide here it needs one bad event more.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, lgamma, log

SIGNIFICANCE = 0.001
"""The share of healthy windows that may be called bad by chance, where only one is asked about."""
FALSE_ALARMS = 0.01
"""The share of healthy rollouts that may be called bad by chance, over all their looks and gates."""
_NEGLIGIBLE = 1e-17


def significance(tests: int, allowance: float = FALSE_ALARMS) -> float:
    """What one of `tests` tests may be wrong in, so that all of them together are wrong in `allowance` at most."""
    return min(SIGNIFICANCE, allowance / max(1, tests))


def binomial_tail(bad: int, total: int, share: float) -> float:
    """The probability of at least `bad` bad ones among `total` events of which a `share` (0 to 1) is bad."""
    if bad <= 0:
        return 1.0
    if share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    terms = (_log_choose(total, k) + k * log(share) + (total - k) * log(1 - share) for k in range(bad, total + 1))
    return _tail(terms)


def fisher_tail(bad: int, total: int, other_bad: int, other_total: int) -> float:
    """The probability that the first of two groups has at least `bad` of all bad ones, were both equally good."""
    all_bad, all_events = bad + other_bad, total + other_total
    whole = _log_choose(all_events, total)
    terms = (
        _log_choose(all_bad, k) + _log_choose(all_events - all_bad, total - k) - whole
        for k in range(bad, min(all_bad, total) + 1)
        if 0 <= total - k <= all_events - all_bad
    )
    return _tail(terms)


def poisson_tail(events: int, expected: float) -> float:
    """The probability of at least `events` where so many are `expected` on average."""
    if events <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    far = events + 1000 + int(4 * expected)
    return _tail(k * log(expected) - expected - lgamma(k + 1) for k in range(events, far))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _tail(logarithms: Iterable[float]) -> float:
    """The sum of the terms, which rise to one peak and then fall: those too small to count are left out."""
    total = before = 0.0
    for term in map(exp, logarithms):
        total += term
        if term < before and term < total * _NEGLIGIBLE:
            break
        before = term
    return min(1.0, total)
