"""Our provider beside what the official plugin once said of every pair: the same plans and states, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity import known, recording
from tests.parity.course import Course, alternate
from tests.parity.pairs import PAIRS
from tests.parity.plan import Rows

pytestmark = pytest.mark.cluster
NAMES = [pair.name for pair in PAIRS]


@pytest.fixture(scope="module")
def course(kubeconfig: Path) -> Course:
    return alternate(kubeconfig, PAIRS, "own", "own")


def test_every_pair_is_applied_and_then_rests(course: Course) -> None:
    assert course.failures == {}
    assert course.stray == {}


def test_every_plan_is_the_official_one(course: Course) -> None:
    assert differing(course.plans["own"], recording.load("plans"), known.PLANS) == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_every_state_is_the_official_one(course: Course, when: str) -> None:
    ours = recording.brief(course.states[when])
    assert differing(ours, recording.load("states")[when], known.STATES) == {}


def test_the_pairs_are_many_and_none_is_named_twice() -> None:
    assert len(NAMES) >= 150 and len(set(NAMES)) == len(NAMES)


def differing(ours: Rows, theirs: Rows, but: dict[str, str]) -> Rows:
    names = {*ours, *theirs} - set(but)
    return {
        name: {"ours": ours.get(name), "official": theirs.get(name)}
        for name in sorted(names)
        if ours.get(name) != theirs.get(name)
    }
