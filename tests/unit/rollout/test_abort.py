"""An abort asks the driver, or does it itself where the driver is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from cli.errors import Locked, RollbackFailed, TurnoutError
from cli.progress import Silent
from cli.rollout import abort, lease, lock, opened, pins, releases, wait
from cli.rollout.book import Open
from cli.rollout.lease import Claim
from cli.rollout.opened import Rollout
from cli.rollout.step import Step


def driver(cluster: Any, command: str, process: str = "") -> Any:
    cluster.namespaces.add("turnout-dev")
    made = lease.taken(None, "dev", Claim("bea@laptop", command, "", 7, process, "token"), "2026-01-01T00:00:00Z")
    return cluster.put(made, "leases")


def gone() -> str:
    """A process that is no more."""
    code = "from cli.rollout import process; print(process.mine())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def release(cluster: Any, make: Any, version: str) -> None:
    cluster.put(make.record(f"release-{version}", [make.deployment("api", version)])[0], "configmaps")


def two_releases(cluster: Any, make: Any) -> None:
    """The second one serves."""
    release(cluster, make, "1")
    release(cluster, make, "2")
    cluster.put(make.ready(make.deployment("api", "2")), "deployments")


def image(cluster: Any) -> str:
    return str(cluster.find("deployments", "api-a")["spec"]["template"]["spec"]["containers"][0]["image"])


def test_nothing_under_way(kube: Any) -> None:
    assert abort.abort(kube, "dev", Silent()) == "dev: no rollout is under way"


def test_something_else_is_not_aborted(cluster: Any, kube: Any) -> None:
    driver(cluster, "turnout destroy dev")
    with pytest.raises(Locked, match="bea on laptop runs turnout destroy dev"):
        abort.abort(kube, "dev", Silent())


def open_rollout(kube: Any) -> Rollout:
    return opened.begin(kube, "dev", Rollout("r1", "bea", record="release-1"))


@contextmanager
def ending(cluster: Any, *rollouts: Rollout) -> Iterator[None]:
    """A driver that leaves these behind, and then its lock, once an abort is asked for."""

    def ends() -> None:
        while not (owner := lease.holder(cluster.find("leases", "lock", "turnout-dev"))) or not owner.abort:
            threading.Event().wait(0.02)
        for one in rollouts:
            cluster.put(opened.encode(one, "dev"), "configmaps")
        cluster.put(lease.released(cluster.find("leases", "lock", "turnout-dev")), "leases")

    driver(cluster, "turnout rollout start dev")
    thread = threading.Thread(target=ends)
    thread.start()
    yield
    thread.join(5)


def test_what_its_driver_could_not_undo_is_told(cluster: Any, kube: Any, make: Any) -> None:
    release(cluster, make, "1")
    job = {"name": "migrate", "run": "migrate-2", "when": "before"}
    begun = Rollout("r1", "bea", since="2026-01-01", record="release-1", course=(Step("bring"),))
    made = opened.begin(kube, "dev", replace(begun, options={"irreversible": [job]}))
    with ending(cluster, made.ended("aborted", "aborted by bea")):
        assert "migrate of the unfinished rollout cannot be undone" in abort.abort(kube, "dev", Silent())


def test_driver_is_asked_and_waited_for(cluster: Any, kube: Any, make: Any) -> None:
    release(cluster, make, "1")
    made = open_rollout(kube)
    with ending(cluster, made.ended("aborted", "aborted by bea: wrong version")):
        said = abort.abort(kube, "dev", Silent(), reason="wrong version")
    assert said == "dev: aborted; release 1 serves"


def test_one_that_failed_meanwhile_was_taken_back_as_well(cluster: Any, kube: Any, make: Any) -> None:
    release(cluster, make, "1")
    made = open_rollout(kube)
    with ending(cluster, made.ended("failed", "a gate failed")):
        assert "taken back" in abort.abort(kube, "dev", Silent())


def test_driver_that_fails_to_take_it_back_is_told_with_its_code(cluster: Any, kube: Any) -> None:
    stuck = replace(open_rollout(kube), status="failed", cause="aborted by bea")
    with (
        ending(cluster, stuck.said("the rollback failed: api does not come up")),
        pytest.raises(RollbackFailed, match="api does not come up") as failed,
    ):
        abort.abort(kube, "dev", Silent())
    assert failed.value.exit_code == 7
    assert "turnout rollback dev" in failed.value.next


def test_driver_that_was_done_first_is_no_abort(cluster: Any, kube: Any, make: Any) -> None:
    two_releases(cluster, make)
    made = open_rollout(kube)
    with ending(cluster, made.ended("done")), pytest.raises(TurnoutError, match="release 2 serves") as late:
        abort.abort(kube, "dev", Silent())
    assert late.value.next == "turnout rollback dev"


def test_driver_that_ends_before_it_is_asked_is_told_by_what_it_left(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(*_: Any) -> None:
        opened.change(kube, "dev", made.id, lambda now: now.ended("done"))

    two_releases(cluster, make)
    made = open_rollout(kube)
    driver(cluster, "turnout rollout start dev")
    monkeypatch.setattr(lock, "ask_abort", too_late)
    with pytest.raises(TurnoutError, match="release 2 serves"):
        abort.abort(kube, "dev", Silent())


def test_driver_that_begins_nothing_is_not_told_by_the_rollout_before(cluster: Any, kube: Any) -> None:
    """Somebody said no to the plan."""
    made = open_rollout(kube)
    opened.change(kube, "dev", made.id, lambda now: now.ended("done"))
    with ending(cluster):
        assert abort.abort(kube, "dev", Silent()) == "dev: its driver ended before it began anything"


def test_first_release_that_its_driver_ends_has_none_to_go_back_to(cluster: Any, kube: Any) -> None:
    made = opened.begin(kube, "dev", Rollout("r1", "bea"))
    with ending(cluster, made.ended("failed", "aborted by bea")):
        assert "none to go back to" in abort.abort(kube, "dev", Silent())


def test_driver_that_dies_meanwhile_is_not_waited_for(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed elsewhere a moment ago, it still counts as alive when it is asked."""
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    two_releases(cluster, make)
    open_rollout(kube)
    driver(cluster, "turnout rollout start dev")
    ask = lock.ask_abort

    def dies(*given: Any) -> Any:
        asked = ask(*given)
        found = cluster.find("leases", "lock", "turnout-dev")
        cluster.put(found | {"metadata": found["metadata"] | {"managedFields": [{"time": cluster.now}]}}, "leases")
        cluster.now = "2026-01-01T00:02:00Z"
        return asked

    monkeypatch.setattr(lock, "ask_abort", dies)
    monkeypatch.setattr(abort, "PATIENCE", 5.0)
    assert "its driver was gone" in abort.abort(kube, "dev", Silent())
    assert image(cluster) == "api:1"
    ended = opened.read(kube, "dev")
    assert ended and (ended.open, ended.status) == (False, "aborted")


def test_where_the_driver_is_gone_it_is_done_here(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    release(cluster, make, "1")
    with releases.attempt(kube, "dev", kind="rollout") as attempt:
        cluster.put(make.ready(make.deployment("api", "2")), "deployments")
        attempt.failed("killed")
    driver(cluster, "turnout rollout start dev", gone())
    assert "its driver was gone" in abort.abort(kube, "dev", Silent())
    assert image(cluster) == "api:1"


def test_a_dead_lock_alone_is_nothing_to_take_back(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever held it died before anything was begun: what serves is good."""
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    two_releases(cluster, make)
    driver(cluster, "turnout rollout start dev", gone())
    assert abort.abort(kube, "dev", Silent()) == "dev: no rollout is under way"
    assert (image(cluster), pins.read(kube, "dev").pins) == ("api:2", ())


def test_what_ends_before_the_lock_is_ours_is_not_taken_back(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*given: Any, **more: Any) -> Any:
        releases.change(kube, "dev", lambda book: replace(book, open=None))
        return lock.environment_lock(*given, **more)

    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    monkeypatch.setattr(abort, "environment_lock", late)
    two_releases(cluster, make)
    releases.change(kube, "dev", lambda book: replace(book, open=Open("rollout", "bea", "", "2026")))
    assert abort.abort(kube, "dev", Silent()) == "dev: no rollout is under way"
    assert image(cluster) == "api:2"
