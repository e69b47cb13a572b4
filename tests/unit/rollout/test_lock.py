"""The lock: one winner, the owner named, a dead holder replaced and a living one never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from cli.errors import Locked
from cli.rollout import lease, lock, process
from cli.rollout.lease import Claim, Silence
from cli.rollout.lock import environment_lock

OTHER = Claim("bea@laptop", "turnout up dev", "new prices", 7, "", "token-of-bea")


def held_by_bea(cluster: Any, *, written: str = "2026-01-01T00:00:00Z", claim: Claim = OTHER) -> Any:
    made = lease.taken(None, "dev", claim, "2026-01-01T00:00:00.000000Z")
    made["metadata"]["managedFields"] = [{"manager": "turnout-cli", "time": written}]
    return cluster.put(made, "leases")


def test_lock_is_held_inside_and_left_after_the_block(cluster: Any, kube: Any) -> None:
    with environment_lock(kube, "dev", command="turnout up dev", reason="why"):
        owner = lock.current(kube, "dev")
        assert owner and (owner.command, owner.reason, owner.pid) == ("turnout up dev", "why", str(os.getpid()))
    assert lock.current(kube, "dev") is None
    assert cluster.log == ["post namespaces/turnout-dev", "post leases/lock", "put leases/lock"]


def test_loser_hears_owner_host_command_reason_and_what_to_run(cluster: Any, kube: Any) -> None:
    held_by_bea(cluster)
    with pytest.raises(Locked) as refused, environment_lock(kube, "dev", command="turnout up dev"):
        pass
    text = str(refused.value)
    assert refused.value.exit_code == 5
    for word in ("dev is locked", "bea on laptop", "pid 7", "turnout up dev", "new prices", "--wait 600"):
        assert word in text


def test_of_two_that_take_it_at_once_one_wins(cluster: Any, kube: Any) -> None:
    def bea_is_faster(request: Any) -> None:
        if request.method == "POST" and request.url.path.endswith("/leases"):
            cluster.before_write.clear()
            held_by_bea(cluster)

    cluster.namespaces.add("turnout-dev")
    cluster.before_write.append(bea_is_faster)
    with pytest.raises(Locked, match="dev is locked"), environment_lock(kube, "dev", command="turnout up dev"):
        pass
    owner = lock.current(kube, "dev")
    assert owner and owner.who == "bea"


def test_living_holder_is_waited_for(cluster: Any, kube: Any) -> None:
    found = held_by_bea(cluster)
    leaves = threading.Timer(0.3, lambda: cluster.put(lease.released(found), "leases"))
    leaves.start()
    with environment_lock(kube, "dev", command="turnout up dev", wait=20):
        assert lock.current(kube, "dev").who != "bea"  # type: ignore[union-attr]
    leaves.join()


def test_holder_silent_for_two_lease_times_by_the_servers_own_stamps_is_replaced(cluster: Any, kube: Any) -> None:
    held_by_bea(cluster, written="2026-01-01T00:00:00Z")
    cluster.now = "2026-01-01T00:01:30Z"
    began = time.monotonic()
    with environment_lock(kube, "dev", command="turnout rollback dev"):
        assert time.monotonic() - began < lease.DURATION / 2, "it was not waited for"
        assert lock.current(kube, "dev").command == "turnout rollback dev"  # type: ignore[union-attr]


def test_stamps_of_the_holder_itself_prove_nothing(cluster: Any, kube: Any) -> None:
    made = held_by_bea(cluster)
    made["spec"]["renewTime"] = "2001-01-01T00:00:00.000000Z"
    with pytest.raises(Locked), environment_lock(kube, "dev", command="turnout up dev"):
        pass


def test_heartbeat_unchanged_for_the_lease_time_on_our_clock_is_death() -> None:
    owner = lease.holder(lease.taken(None, "dev", OTHER, "2026-01-01T00:00:00.000000Z"))
    assert owner
    silence = Silence()
    assert silence.observe(owner, now=1000.0) == 0
    assert silence.observe(owner, now=1000.0 + lease.DURATION) == lease.DURATION
    renewed = lease.holder(lease.renewed(lease.taken(None, "dev", OTHER, "x"), "y"))
    assert renewed
    assert silence.observe(renewed, now=2000.0) == 0


def test_holder_whose_process_is_gone_from_this_machine_is_replaced_at_once(cluster: Any, kube: Any) -> None:
    code = "from cli.rollout import process; print(process.mine())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    held_by_bea(cluster, claim=Claim("bea@laptop", "turnout up dev", "", 7, name, "token"))
    with environment_lock(kube, "dev", command="turnout rollback dev"):
        pass


@pytest.mark.skipif(not process.mine(), reason="only /proc tells")
def test_a_process_that_is_over_is_gone_even_when_nobody_has_waited_for_it() -> None:
    code = "from cli.rollout import process; print(process.mine())"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        name = child.stdout.readline().strip()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.gone(name)


def test_running_process_and_processes_elsewhere_are_not_gone() -> None:
    assert not process.gone(process.mine())
    assert not process.gone("other-boot/1/1/1")
    assert not process.gone("")


def test_lock_that_somebody_took_over_is_noticed(cluster: Any, kube: Any) -> None:
    with environment_lock(kube, "dev", command="turnout up dev") as held:
        held.check()
        held_by_bea(cluster)
        held.phase("applying")
        with pytest.raises(Locked, match="no longer ours"):
            held.check()
    assert lock.current(kube, "dev").who == "bea"  # type: ignore[union-attr]


def test_heartbeat_moves_the_renewal_and_keeps_an_abort_request(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT", 0.05)
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        first = lock.current(kube, "dev")
        lock.ask_abort(kube, "dev", "carl@phone")
        beat = threading.Event()
        beat.wait(0.5)
        owner = lock.current(kube, "dev")
        assert owner and first
        assert owner.renewed > first.renewed
        assert owner.abort == held.abort == "carl@phone"


def test_nobody_to_abort(kube: Any) -> None:
    assert lock.ask_abort(kube, "dev", "carl@phone") is None


def test_lock_is_left_when_the_process_is_told_to_end(kube: Any) -> None:
    with pytest.raises(KeyboardInterrupt), environment_lock(kube, "dev", command="turnout up dev"):
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(5)
    assert lock.current(kube, "dev") is None
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
