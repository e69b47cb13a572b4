"""A question beside other work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cli.errors import TurnoutError
from cli.rollout import where
from cli.rollout.beside import Beside


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect(environment: str) -> Iterator[Any]:
        yield f"the cluster of {environment}"

    monkeypatch.setattr(where, "connect", connect)


def refused(_: Any) -> str:
    raise TurnoutError("nobody answers")


def too_late(_: Any) -> str:
    raise RuntimeError("cannot schedule new futures after interpreter shutdown")


def test_the_clusters_answer_is_taken_and_what_it_does_not_tell_is_the_other_one() -> None:
    assert Beside("dev", lambda kube: f"said by {kube}", "").within(60) == "said by the cluster of dev"
    asked = Beside("dev", refused, "nothing")
    assert (asked.within(60), asked.silence) == ("nothing", "nobody answers")


def test_a_question_that_breaks_is_told_as_such_and_says_nothing_by_itself() -> None:
    asked = Beside("dev", too_late, "nothing")
    assert (asked.within(60), asked.silence) == ("nothing", "RuntimeError")


def test_an_answer_that_takes_too_long_is_not_waited_for() -> None:
    late = threading.Event()
    asked = Beside("dev", lambda _: late.wait(60), otherwise=False)
    assert (asked.within(0), asked.silence) == (False, "no answer came in time")
    late.set()
    assert (asked.within(60), asked.silence) == (True, "")
