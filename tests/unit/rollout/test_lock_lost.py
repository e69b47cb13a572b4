"""A rollback whose lock somebody takes, who goes on with the same release: the loser changes nothing any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from cli.errors import Locked
from cli.kube.errors import KubeError
from cli.rollout import audit, lease, releases, restoring, wait
from cli.rollout.noting import closed
from cli.rollout.rollback import prepare
from tests.unit.rollout.test_lock import OTHER
from tests.unit.rollout.test_rollback import becomes_ready, go_back, stage
from tests.unit.rollout.test_rollback import told as told


def taken_and_ended(cluster: Any, kube: Any) -> None:
    """Bea takes the lock, and is done with the release that is under way."""
    cluster.put(lease.taken(None, "dev", OTHER, "2026-01-01T00:00:00.000000Z"), "leases")
    found = releases.load(kube, "dev")
    wanted = prepare(kube, "dev")
    assert found.current
    row = found.current
    releases.change(kube, "dev", lambda now: closed(now, wanted, row, "done"))


def ended_by_bea(kube: Any) -> bool:
    book = releases.load(kube, "dev")
    return bool(book.current and (book.current.number, book.current.outcome, book.open) == (3, "done", None))


def test_it_hears_of_it_while_it_waits_and_leaves_the_winners_release_alone(
    cluster: Any, kube: Any, make: Any, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def rolled_out(*_: Any, check: Callable[[], None], **__: Any) -> wait.Healths:
        taken_and_ended(cluster, kube)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            check()
            time.sleep(0.02)
        return {}

    stage(cluster, make, "1", "2")
    monkeypatch.setattr(wait, "rolled_out", rolled_out)
    with pytest.raises(Locked, match=r"taken over by bea@laptop \(turnout up dev\)") as lost:
        go_back(kube)
    assert lost.value.exit_code == 5
    assert ended_by_bea(kube)
    assert told == []
    [entry] = audit.entries(kube, "dev")
    assert entry.outcome == "failed: the lock of dev is no longer ours"


def test_what_fails_because_of_the_winner_is_told_as_a_lost_lock(
    cluster: Any, kube: Any, make: Any, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        taken_and_ended(cluster, kube)
        raise KubeError("somebody else was faster")

    stage(cluster, make, "1", "2")
    monkeypatch.setattr(restoring, "do", fails)
    with pytest.raises(Locked, match="taken over by bea@laptop"):
        go_back(kube)
    assert ended_by_bea(kube)
    assert told == []


def test_one_that_is_done_when_the_lock_is_gone_does_not_say_so(
    cluster: Any, kube: Any, make: Any, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever took it may have gone on to another release."""

    def rolled_out(*_: Any, **__: Any) -> wait.Healths:
        cluster.put(lease.taken(None, "dev", OTHER, "2026-01-01T00:00:00.000000Z"), "leases")
        time.sleep(0.6)
        return {}

    stage(cluster, make, "1", "2")
    becomes_ready(cluster)
    monkeypatch.setattr(wait, "rolled_out", rolled_out)
    with pytest.raises(Locked):
        go_back(kube)
    book = releases.load(kube, "dev")
    assert book.open and book.current and book.current.outcome == "under way"
    assert told == []
