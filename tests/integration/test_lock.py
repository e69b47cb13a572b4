"""The lock on a real API server: one at a time whoever comes, a dead holder replaced, a living one waited for."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.errors import Locked
from cli.kube import client
from cli.kube.client import Kube
from cli.rollout import identity, lease, lock
from cli.rollout.lock import environment_lock
from cli.rollout.where import Cluster

pytestmark = pytest.mark.cluster

HOLD = """
import sys, time
from pathlib import Path
from cli.kube import client
from cli.rollout.lock import environment_lock
from cli.rollout.where import Cluster
with client.connect(Cluster(Path(sys.argv[1]), None)) as kube:
    with environment_lock(kube, sys.argv[2], command="turnout up " + sys.argv[2], reason="held by a test"):
        print("held", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def environment(kubeconfig: Path) -> Iterator[str]:
    name = f"lock{secrets.token_hex(3)}"
    yield name
    with client.connect(Cluster(kubeconfig, None)) as kube:
        kube.delete("v1", "Namespace", f"turnout-{name}")


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[Kube]:
    with client.connect(Cluster(kubeconfig, None)) as kube:
        yield kube


def holding(kubeconfig: Path, environment: str) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(kubeconfig), environment]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    return process


def ended(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(20)
    assert process.stdout
    process.stdout.close()


def test_of_many_at_once_one_is_inside(api: Kube, environment: str) -> None:
    inside: list[int] = []
    most: list[int] = []

    def take(number: int) -> bool:
        try:
            with environment_lock(api, environment, command=f"turnout up {environment}", wait=30):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.05)
                inside.remove(number)
                return True
        except Locked:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(take, range(8)))
    assert max(most) == 1
    assert len(most) == 8


def test_loser_hears_who_holds_it(api: Kube, kubeconfig: Path, environment: str) -> None:
    process = holding(kubeconfig, environment)
    try:
        began = time.monotonic()
        told = rf"pid {process.pid}\): turnout up {environment} \(held by a test\)"
        with pytest.raises(Locked, match=told), environment_lock(api, environment, command="turnout up"):
            pass
        assert time.monotonic() - began < lease.DURATION / 2
    finally:
        ended(process, signal.SIGKILL)


def test_killed_holder_on_this_machine_is_replaced_at_once(api: Kube, kubeconfig: Path, environment: str) -> None:
    ended(holding(kubeconfig, environment), signal.SIGKILL)
    assert lock.current(api, environment)
    began = time.monotonic()
    with environment_lock(api, environment, command=f"turnout rollback {environment}"):
        owner = lock.current(api, environment)
        assert owner and owner.pid == str(os.getpid())
    assert time.monotonic() - began < lease.DURATION / 2


@pytest.mark.usefixtures("hang_ups")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_holder_leaves_it(api: Kube, kubeconfig: Path, environment: str, how: signal.Signals) -> None:
    ended(holding(kubeconfig, environment), how)
    assert lock.current(api, environment) is None


def test_servers_own_stamps_tell_how_long_a_holder_is_silent(api: Kube, environment: str) -> None:
    with environment_lock(api, environment, command="turnout up"):
        time.sleep(4.1)
        place = ("coordination.k8s.io/v1", "Lease", "lock", f"turnout-{environment}")
        silent = lease.server_silence(api.get(*place), identity.server_time(api))
        assert 4 <= silent < 30
        api.replace(lease.renewed(api.get(*place), "2001-01-01T00:00:00.000000Z"), "turnout-cli")
        assert lease.server_silence(api.get(*place), identity.server_time(api)) < silent
