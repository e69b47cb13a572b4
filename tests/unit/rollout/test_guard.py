"""An engine under way is stopped once the environment's lock is somebody else's."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from cli.errors import Interrupted, Locked
from cli.rollout import guard, lease, lock
from cli.rollout.guard import stopped_when_lost
from cli.rollout.lock import environment_lock
from tests.unit.rollout.test_lock import OTHER


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_LOOK", 0.02)


def taken_by_bea(cluster: Any) -> None:
    cluster.put(lease.taken(None, "dev", OTHER, "2026-01-01T00:00:00.000000Z"), "leases")


@pytest.mark.parametrize("how_it_ends", ["well", "interrupted", "by a signal"])
def test_a_lock_taken_over_stops_the_engine_and_says_by_whom(cluster: Any, kube: Any, how_it_ends: str) -> None:
    stopped = threading.Event()
    with (
        pytest.raises(Locked, match=r"taken over by bea@laptop \(turnout up dev\)") as lost,
        environment_lock(kube, "dev", command="turnout up dev") as held,
        stopped_when_lost(held, stopped.set),
    ):
        taken_by_bea(cluster)
        assert stopped.wait(20)
        if how_it_ends == "interrupted":
            raise Interrupted("dev: interrupted")
        if how_it_ends == "by a signal":
            raise KeyboardInterrupt
    assert lost.value.exit_code == 5
    owner = lock.current(kube, "dev")
    assert owner and owner.who == "bea", "the other one's lock is left alone"


def test_a_heartbeat_that_fails_for_too_long_stops_it_too(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    clock = lock._now
    with (
        pytest.raises(Locked, match="somebody may have taken it over"),
        environment_lock(kube, "dev", command="turnout up dev") as held,
        stopped_when_lost(held, stopped.set),
    ):
        monkeypatch.setattr(lock, "_now", lambda: clock() + lease.DURATION + 1)
        assert stopped.wait(20)


def test_a_run_that_keeps_its_lock_ends_as_it_would(kube: Any) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout up dev") as held:
        with stopped_when_lost(held, stopped.set):
            time.sleep(0.1)
        with pytest.raises(Interrupted), stopped_when_lost(held, stopped.set):
            raise Interrupted("dev: interrupted")
    assert not stopped.is_set()
