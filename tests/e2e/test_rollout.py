"""The main job under load: roll forward, roll back, and a broken release that never serves. No request may be lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.demo.project import NEW, OLD
from tests.e2e.test_dev import changes
from tests.harness import Environment

pytestmark = pytest.mark.pods

BROKEN = "1.2.0-broken"


@pytest.fixture(autouse=True)
def back_to_old(dev: Environment) -> Iterator[None]:
    yield
    dev.project.release(OLD)
    dev.turnout("up", "dev", "--yes")
    if dev.json("unpin", "dev", "--list"):
        dev.turnout("unpin", "dev")


def test_rollout_and_rollback_lose_no_request(dev: Environment) -> None:
    dev.project.release(NEW)
    with dev.load() as load:
        dev.turnout("rollout", "start", "dev", "--yes")
        assert serving(dev) == [NEW]
        dev.turnout("rollback", "dev", "--yes", "--reason", "test")
        assert serving(dev) == [OLD]
    assert load.counted["requests"] > 500
    assert (load.counted["failed"], load.counted["failures"]) == (0, [])
    assert set(load.counted["versions"]) == {OLD, NEW}
    assert load.served == load.counted["ok"], "the servers counted the same"
    dev.project.release(OLD)
    assert changes(dev.json("up", "dev", "--yes")) == [], "the settings say again what the rollback brought back"


def test_a_broken_release_never_serves_and_is_rolled_back_with_its_cause(dev: Environment) -> None:
    dev.project.release(BROKEN)
    before = pods(dev)
    with dev.load() as load:
        done = dev.turnout("rollout", "start", "dev", "--yes", expect=6)
    assert pods(dev) == before, "whoever serves is left alone"
    assert "migration 0042" in done.stderr, "the cause is the pod's own last log line"
    assert (load.counted["failed"], load.counted["failures"]) == (0, [])
    assert set(load.counted["versions"]) == {OLD}
    assert serving(dev) == [OLD]
    dev.project.release(OLD)
    assert changes(dev.json("up", "dev", "--yes")) == []


def test_without_prestop_and_drain_requests_are_lost(dev: Environment) -> None:
    """The counter-test: a harness that sees no failure here would have proved nothing above."""

    dev.project.release(OLD, protected=False)
    dev.turnout("up", "dev", "--yes")
    dev.project.release(NEW, protected=False)
    with dev.load() as load:
        dev.turnout("rollout", "start", "dev", "--yes")
    assert load.counted["failed"] > 0


def pods(dev: Environment) -> dict[str, int]:
    """Those of the api that are there to stay, each with how often it was started anew."""
    found = dev.kube.list("v1", "Pod", "dev", labels="app.kubernetes.io/name=api")
    lasting = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in lasting}


def serving(dev: Environment) -> list[str]:
    """The versions that ready pods of the api run; asked of the cluster, so that no request is added to the count."""
    api = next(one for one in dev.json("status", "dev")["workloads"] if one["name"] == "api")
    return sorted(api["serving"])
