"""Our provider and the official plugin side by side on one stack, where that plugin is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity import known, official
from tests.parity.course import Course, alternate, fought
from tests.parity.pairs import PAIRS
from tests.parity.pairs.conflicts import CONFLICTS
from tests.parity.test_recorded import differing

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(official.binary() is None, reason=official.MISSING)]


@pytest.fixture(scope="module")
def from_official(kubeconfig: Path) -> Course:
    return alternate(kubeconfig, PAIRS, "official", "own")


@pytest.fixture(scope="module")
def from_own(kubeconfig: Path) -> Course:
    return alternate(kubeconfig, PAIRS, "own", "official")


@pytest.fixture(params=["from_official", "from_own"])
def course(request: pytest.FixtureRequest) -> Course:
    found: Course = request.getfixturevalue(request.param)
    return found


def test_a_stack_is_handed_over_and_back_without_a_change(course: Course) -> None:
    assert course.failures == {}
    assert course.stray == {}


def test_both_plan_the_same(course: Course) -> None:
    assert differing(course.plans["own"], course.plans["official"], known.PLANS) == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_both_write_the_same_state(from_official: Course, from_own: Course, when: str) -> None:
    """Which of the two wrote `before` is the other one of who wrote `after`."""
    ours, theirs = (from_own, from_official) if when == "before" else (from_official, from_own)
    assert differing(ours.states[when], theirs.states[when], known.STATES) == {}


def test_both_refuse_to_take_what_another_manager_owns(kubeconfig: Path) -> None:
    said = fought(kubeconfig, CONFLICTS, ["own", "official"])
    assert said["own"].keys() & {pair.name for pair in CONFLICTS}
    assert said["own"].keys() & {pair.name for pair in CONFLICTS} == said["official"].keys() & {
        pair.name for pair in CONFLICTS
    }
    assert all("somebody-else" in text for texts in said.values() for name, text in texts.items() if name)
