"""The exact tests, against values worked out by other means."""

from __future__ import annotations

import random
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.gates import judge
from cli.gates.judge import Counts
from cli.gates.statistics import SIGNIFICANCE, binomial_tail, fisher_tail


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.001, 0.01, 0.3, 0.9]))
@settings(derandomize=True, deadline=None)
def test_the_binomial_tail_is_the_sum_of_its_terms(bad: int, total: int, share: float) -> None:
    bad = min(bad, total)
    exact = sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(bad, total + 1))
    assert binomial_tail(bad, total, share) == pytest.approx(min(1.0, exact), rel=1e-9, abs=1e-12)


def test_the_lady_tasting_tea() -> None:
    """Fisher 1935: three or four of four cups right by chance."""
    assert fisher_tail(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher_tail(4, 4, 0, 4) == pytest.approx(1 / 70)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
@settings(derandomize=True, deadline=None)
def test_the_fisher_tail_counts_tables(bad: int, total: int, other_bad: int, other_total: int) -> None:
    bad, other_bad = min(bad, total), min(other_bad, other_total)
    all_bad, everything = bad + other_bad, total + other_total
    ways = sum(comb(all_bad, k) * comb(everything - all_bad, total - k) for k in range(bad, min(all_bad, total) + 1))
    assert fisher_tail(bad, total, other_bad, other_total) == pytest.approx(ways / comb(everything, total))


def test_the_edges() -> None:
    assert binomial_tail(0, 0, 0.1) == 1.0
    assert binomial_tail(1, 10, 0.0) == 0.0
    assert binomial_tail(10, 10, 1.0) == 1.0
    assert binomial_tail(1, 1_000_000, 1e-9) == pytest.approx(0.001, rel=0.01)


def test_healthy_windows_are_hardly_ever_called_bad() -> None:
    """10,000 windows at exactly what may be; far fewer than one in a hundred fails."""
    chance = random.Random(7)
    windows = (sum(chance.random() < 0.01 for _ in range(200)) for _ in range(10_000))
    failed = sum(judge.absolute(Counts(bad, 200), 0.01).verdict == "fail" for bad in windows)
    assert 0 < failed <= 10_000 * 3 * SIGNIFICANCE


def test_a_tenth_failing_is_seen_in_one_small_window() -> None:
    chance = random.Random(11)
    windows = [sum(chance.random() < 0.1 for _ in range(60)) for _ in range(200)]
    failed = [judge.absolute(Counts(bad, 60), 0.001).verdict == "fail" for bad in windows]
    assert sum(failed) >= 190
