"""Copies for a share of traffic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rollout.shares import Split, beside, least, split

wishes = st.integers(1, 99)
counts = st.integers(1, 40)


@pytest.mark.parametrize(
    ("wished", "old", "new", "found"),
    [
        (10, 10, 10, Split(9, 1)),
        (10, 3, 3, Split(3, 1)),
        (25, 3, 3, Split(3, 1)),
        (50, 3, 3, Split(3, 3)),
        (75, 3, 3, Split(1, 3)),
        (50, 1, 1, Split(1, 1)),
        (1, 10, 10, Split(10, 1)),
        (50, 10, 2, Split(8, 2)),
    ],
)
def test_known_cases(wished: int, old: int, new: int, found: Split) -> None:
    assert split(wished, old, new) == found


@given(wishes, counts, counts)
def test_nothing_allowed_is_nearer_and_capacity_never_falls(wished: int, old: int, new: int) -> None:
    found = split(wished, old, new)
    allowed = [Split(a, b) for a in range(1, old + 1) for b in range(1, new + 1) if a + b >= old]
    assert found in allowed
    nearest = min(abs(each.share - wished) for each in allowed)
    assert abs(found.share - wished) == pytest.approx(nearest)
    equal = [each for each in allowed if abs(each.share - wished) == pytest.approx(nearest, abs=1e-6)]
    assert found.old + found.new == max(each.old + each.new for each in equal)


@given(wishes, counts, counts)
def test_beside_copies_that_stay(wished: int, old: int, new: int) -> None:
    found = beside(wished, old, new)
    assert 1 <= found <= new
    off = abs(Split(old, found).share - wished)
    assert off == pytest.approx(min(abs(Split(old, each).share - wished) for each in range(1, new + 1)))


@given(wishes, counts)
def test_least_carries_its_share(wished: int, wanted: int) -> None:
    assert wanted * wished / 100 <= least(wished, wanted) <= wanted


@pytest.mark.parametrize("wished", [0, 100, -1])
def test_all_or_nothing_is_no_share(wished: int) -> None:
    with pytest.raises(ValueError):
        split(wished, 3, 3)
