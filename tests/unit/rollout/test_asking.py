"""Who is asked to pause, to go on, to advance: the process that drives the rollout, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.errors import UsageError
from cli.rollout import asking, opened
from cli.rollout.lock import environment_lock
from cli.rollout.opened import Asked, Rollout


@pytest.fixture
def rollout(cluster: Any, kube: Any) -> Rollout:
    cluster.namespaces.add("turnout-dev")
    return opened.begin(kube, "dev", Rollout("r1", "bea", record="release-1"))


def asked(kube: Any) -> Asked | None:
    found = opened.under_way(kube, "dev")
    assert found is not None
    return found.asked


@pytest.mark.usefixtures("rollout")
def test_driver_is_asked(kube: Any) -> None:
    with environment_lock(kube, "dev", command="turnout rollout start dev"):
        assert "drives the rollout and was asked: it goes on" in asking.ask(kube, "dev", "resume")
    assert (found := asked(kube)) and found.what == "resume"


@pytest.mark.usefixtures("rollout")
def test_whoever_else_holds_the_lock_drives_nothing(kube: Any) -> None:
    with environment_lock(kube, "dev", command="turnout repair dev"):
        assert asking.ask(kube, "dev", "resume") == ""
        assert asked(kube) is None
        assert "nobody drives the rollout" in asking.must_ask(kube, "dev", "pause")
    assert (found := asked(kube)) and found.what == "pause"


@pytest.mark.parametrize("what", ["pause", "resume", "advance"])
def test_one_that_is_being_taken_back_heeds_nobody(kube: Any, rollout: Rollout, what: asking.What) -> None:
    opened.change(kube, "dev", rollout.id, lambda now: replace(now, cause="a gate failed"))
    with (
        environment_lock(kube, "dev", command="turnout rollout start dev"),
        pytest.raises(UsageError, match="a gate failed"),
    ):
        asking.must_ask(kube, "dev", what)
    assert asked(kube) is None
