"""Sizes and durations as the monitoring's settings write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.monitoring.settings import mebibytes, seconds
from components.monitoring.text import to_yaml


@given(st.integers(1, 10**6), st.sampled_from(["s", "m", "h", "d", "w"]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert seconds(f"{number}{unit}") == number * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]


def test_durations_are_added_up() -> None:
    assert seconds("1h30m") == 5400
    assert seconds("500ms") == 0.5


@pytest.mark.parametrize("wrong", ["", "10", "soon", "1 h", "-1h", "1.5h", "1y", "1hx"])
def test_another_duration_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(wrong)


def test_sizes_are_whole_mebibytes() -> None:
    assert [mebibytes(size) for size in ("512Mi", "2Gi", "1Ti", 64)] == [512, 2048, 1048576, 64]


@pytest.mark.parametrize("wrong", ["", "1G", "1.5Gi", "Gi", "-1Gi"])
def test_another_size_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        mebibytes(wrong)


def test_the_same_data_is_the_same_text_in_the_order_it_was_built() -> None:
    shared = ["a"]
    text = to_yaml({"b": shared, "a": shared, "expr": "1\n+ 2"})

    assert text == "b:\n  - a\na:\n  - a\nexpr: |-\n  1\n  + 2\n"
