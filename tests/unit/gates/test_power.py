"""How often a look is wrong, and how soon a bad release is seen: worked out, not hoped for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from math import comb, lgamma, log

import pytest

from cli.gates import watching
from cli.gates.judge import Counts, absolute
from cli.gates.statistics import FALSE_ALARMS, binomial_tail, poisson_tail, significance
from cli.gates.watching import LOOKS, RECENT, Wanted
from components.prometheus.settings import Slo

PROMISE, INTERVAL, SCRAPE, WEIGHT, BROKEN = 0.001, 10, 2, 0.1, 0.1
"""99.9 %; a look every 10 s, of what was scraped 2 s ago; a tenth of the traffic, of which a tenth fails."""
SLOS = (
    Slo(name="http-availability", kind="availability", objective=99.9),
    Slo(name="http-latency", kind="latency", objective=99, threshold=1.0),
)


def share_of_one_test(*, baseline: bool = False) -> float:
    return significance(LOOKS * watching.tests(Wanted("dev", slos=SLOS), "api", baseline=baseline))


def power(rate: int, intervals: int, each: float) -> float:
    """The probability that a candidate which just turned bad has failed after so many intervals."""
    events = round(rate * WEIGHT * (intervals * INTERVAL - SCRAPE))
    enough = next(bad for bad in range(1, events + 1) if fails(Counts(bad, events), each))
    return binomial_tail(enough, events, BROKEN)


def fails(counts: Counts, each: float) -> bool:
    return absolute(counts, PROMISE, significance=each).verdict == "fail"


@pytest.mark.parametrize(("rate", "least"), [(20, 0.7), (30, 0.9), (40, 0.93), (50, 0.98), (100, 0.999)])
@pytest.mark.parametrize("baseline", [False, True])
def test_a_tenth_of_a_tenth_failing_is_seen_within_two_intervals(rate: int, least: float, baseline: bool) -> None:
    assert power(rate, RECENT, share_of_one_test(baseline=baseline)) > least


def test_the_fewest_requests_take_one_interval_more() -> None:
    assert power(20, RECENT + 1, share_of_one_test()) > 0.9


def test_one_allowance_is_shared_by_all_tests_of_a_rollout() -> None:
    tests = LOOKS * watching.tests(Wanted("dev", slos=SLOS), "api", baseline=False)
    assert tests == LOOKS * (2 * 2 + 1 + 2)
    assert tests * share_of_one_test() == pytest.approx(FALSE_ALARMS)
    assert significance(1) == 0.001, "a single window is judged no more loosely"


def test_of_rollouts_that_just_keep_their_promise_hardly_one_in_a_hundred_is_called_bad() -> None:
    """1,000 rollouts of 30 looks at exactly as many errors as may be: far worse than a healthy service."""
    chance = random.Random(5)
    alarms = sum(any(looked(chance, share_of_one_test())) for _ in range(1_000))
    naive = sum(any(looked(chance, 0.01)) for _ in range(300))
    assert alarms <= 1_000 * FALSE_ALARMS
    assert naive > 300 * 0.05, "one look's significance for each of many looks does call them bad"


def looked(chance: random.Random, each: float) -> Iterator[bool]:
    """What each look says of the whole soak so far, and of its last part."""
    arrived: list[int] = []
    for _ in range(LOOKS):
        arrived.append(sum(chance.random() < PROMISE for _ in range(50)))
        yield fails(Counts(sum(arrived), 50 * len(arrived)), each)
        recent = arrived[-RECENT:]
        yield fails(Counts(sum(recent), 50 * len(recent)), each)


def test_a_test_that_may_be_looked_at_all_the_time_needs_one_bad_event_more() -> None:
    """The likelihood ratio, mixed evenly over how bad it may be and over when it turned bad (Robbins 1970)."""
    allowed = log(LOOKS * 3 / FALSE_ALARMS)

    def evidence(bad: int, total: int) -> float:
        mixed = lgamma(bad + 1) + lgamma(total - bad + 1) - lgamma(total + 2)
        return mixed - bad * log(PROMISE) - (total - bad) * log(1 - PROMISE)

    assert fails(Counts(3, 40), share_of_one_test())
    assert evidence(3, 40) < allowed < evidence(4, 40)


@pytest.mark.parametrize(("events", "expected"), [(0, 0.5), (1, 0.5), (3, 0.01), (12, 9.0)])
def test_the_poisson_tail_is_the_limit_of_the_binomial(events: int, expected: float) -> None:
    many = 10_000_000
    assert poisson_tail(events, expected) == pytest.approx(binomial_tail(events, many, expected / many), rel=1e-4)


@pytest.mark.parametrize(("bad", "total"), [(20, 50), (15, 5_000), (2, 5_000)])
def test_a_tail_that_is_summed_no_further_than_it_counts_is_as_long_as_the_whole(bad: int, total: int) -> None:
    below = sum(comb(total, k) * 999 ** (total - k) for k in range(bad))
    assert binomial_tail(bad, total, 0.001) == pytest.approx(float(1 - Fraction(below, 1000**total)), rel=1e-9)
