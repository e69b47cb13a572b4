"""What a wait that was in vain says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.harness import eventually


def never() -> bool:
    """It comes some day."""
    return False


def test_the_first_true_value_is_given() -> None:
    values = iter(["", "this"])
    assert eventually(lambda: next(values), every=0) == "this"


@pytest.mark.parametrize(
    ("check", "what", "said"),
    [
        (never, "a day off", "a day off"),
        (never, lambda: "asked at the end", "asked at the end"),
        (never, "", "It comes some day."),
        (lambda: never() and True, "", "(lambda: never() and True"),
        (partial(never), "", "partial(<function never"),
    ],
)
def test_a_failure_says_what_was_waited_for_or_shows_the_check(
    check: Callable[[], bool], what: str | Callable[[], str], said: str
) -> None:
    with pytest.raises(pytest.fail.Exception, match="not so within 0 s: ") as caught:
        eventually(check, what, seconds=0)
    assert said in str(caught.value)
