"""An abort asks the driver, or does it itself where the driver is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from cli.errors import Locked
from cli.progress import Silent
from cli.rollout import abort, lease, releases, wait
from cli.rollout.lease import Claim


def driver(cluster: Any, command: str, process: str = "") -> Any:
    cluster.namespaces.add("turnout-dev")
    made = lease.taken(None, "dev", Claim("bea@laptop", command, "", 7, process, "token"), "2026-01-01T00:00:00Z")
    return cluster.put(made, "leases")


def test_nothing_under_way(kube: Any) -> None:
    assert abort.abort(kube, "dev", Silent()) == "dev: no rollout is under way"


def test_something_else_is_not_aborted(cluster: Any, kube: Any) -> None:
    driver(cluster, "turnout destroy dev")
    with pytest.raises(Locked, match="bea on laptop runs turnout destroy dev"):
        abort.abort(kube, "dev", Silent())


def test_driver_is_asked_and_waited_for(cluster: Any, kube: Any) -> None:
    driver(cluster, "turnout rollout start dev")

    def ends() -> None:
        while not (owner := lease.holder(cluster.find("leases", "lock", "turnout-dev"))) or not owner.abort:
            threading.Event().wait(0.02)
        cluster.put(lease.released(cluster.find("leases", "lock", "turnout-dev")), "leases")

    thread = threading.Thread(target=ends)
    thread.start()
    assert abort.abort(kube, "dev", Silent(), reason="wrong version").startswith("dev: aborted")
    thread.join(5)


def test_where_the_driver_is_gone_it_is_done_here(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    cluster.put(make.record("release-1", [make.deployment("api", "1")])[0], "configmaps")
    with releases.attempt(kube, "dev", kind="rollout") as attempt:
        cluster.put(make.ready(make.deployment("api", "2")), "deployments")
        attempt.failed("killed")
    code = "from cli.rollout import process; print(process.mine())"
    gone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    driver(cluster, "turnout rollout start dev", gone)
    assert "its driver was gone" in abort.abort(kube, "dev", Silent())
    container = cluster.find("deployments", "api-a")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "api:1"
