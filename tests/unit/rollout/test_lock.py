"""The lock: one winner, the owner named, a dead holder replaced and a living one never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import httpx2
import pytest

from cli.errors import Locked
from cli.kube.client import SILENCE
from cli.rollout import audit, lease, lock, process
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


def test_a_break_that_kills_every_established_connection_does_not_cost_the_lock(
    cluster: Any, kube: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT", 0.1)
    monkeypatch.setattr(lease, "DURATION", 6)
    monkeypatch.setattr(lock, "_PATIENCE", 0.5, raising=False)
    stale = {0.5: 1, SILENCE: 2}
    heard = threading.Event()

    def on_an_idle_connection(request: Any) -> None:
        patience = request.extensions["timeout"]["read"]
        if stale[patience]:
            stale[patience] -= 1
            time.sleep(patience)
            raise httpx2.ReadTimeout("nothing came", request=request)
        heard.set()

    with environment_lock(kube, "dev", command="turnout up dev") as held:
        cluster.before_write.append(on_an_idle_connection)
        assert heard.wait(20)
        held.check()


def test_a_lock_is_left_though_the_first_try_to_leave_it_fails(cluster: Any, kube: Any) -> None:
    def busy(request: Any) -> None:
        if request.extensions["timeout"]["read"] < SILENCE:
            raise httpx2.ConnectError("busy", request=request)

    with environment_lock(kube, "dev", command="turnout up dev") as held:
        cluster.before_write.append(busy)
    assert lock.current(kube, "dev") is None
    held.look()
    held.phase("whoever looks or writes later does nothing")
    assert not held.lost


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock here goes on while the machine sleeps")
def test_a_machine_that_slept_has_lost_its_lock(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = time.clock_gettime
    with environment_lock(kube, "dev", command="turnout up dev") as held:
        held.check()
        slept = lease.DURATION + 1
        monkeypatch.setattr(time, "clock_gettime", lambda which: clock(which) + slept)
        with pytest.raises(Locked, match="no longer ours"):
            held.check()


def test_nobody_to_abort(kube: Any) -> None:
    assert lock.ask_abort(kube, "dev", "carl@phone") is None


def test_lock_is_left_when_the_process_is_told_to_end(kube: Any) -> None:
    with pytest.raises(KeyboardInterrupt), environment_lock(kube, "dev", command="turnout up dev"):
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(5)
    assert lock.current(kube, "dev") is None
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_lock_whose_answer_an_interruption_cut_off_is_left(
    cluster: Any, kube: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(manifest: Any, manager: str) -> Any:
        create(manifest, manager)
        if manifest["kind"] == "Lease":
            raise KeyboardInterrupt

    create = kube.create
    monkeypatch.setattr(kube, "create", cut_off)
    with pytest.raises(KeyboardInterrupt), environment_lock(kube, "dev", command="turnout up dev"):
        pass
    assert cluster.find("leases", "lock", "turnout-dev")
    assert lock.current(kube, "dev") is None


def test_lock_is_taken_from_a_living_holder_by_whoever_says_so_and_it_is_audited(cluster: Any, kube: Any) -> None:
    held_by_bea(cluster)
    asked: list[str] = []

    def agree(owner: lease.Holder) -> bool:
        asked.append(owner.who)
        return True

    with environment_lock(kube, "dev", command="turnout up dev", reason="bea is on a plane", take_over=agree):
        owner = lock.current(kube, "dev")
        assert owner and owner.pid == str(os.getpid())
    assert asked == ["bea"]
    [entry] = audit.entries(kube, "dev")
    assert (entry.what, entry.why) == ("turnout up dev --take-over", "bea is on a plane")
    assert entry.outcome == "took the lock from bea@laptop, which ran turnout up dev"


def test_whoever_lost_the_lock_that_way_hears_it(cluster: Any, kube: Any) -> None:
    with environment_lock(kube, "dev", command="turnout rollout start dev") as first:
        held = cluster.find("leases", "lock", "turnout-dev")
        cluster.put(lease.taken(held, "dev", OTHER, "2026-01-01T00:00:00.000000Z"), "leases")
        first.look()
        with pytest.raises(Locked, match="no longer ours"):
            first.check()
    owner = lock.current(kube, "dev")
    assert owner and owner.who == "bea"


def test_who_does_not_confirm_leaves_the_lock_where_it_is(cluster: Any, kube: Any) -> None:
    held_by_bea(cluster)
    with (
        pytest.raises(Locked, match="dev is locked"),
        environment_lock(kube, "dev", command="turnout up dev", take_over=lambda _: False),
    ):
        pass
    owner = lock.current(kube, "dev")
    assert owner and owner.who == "bea"
    assert audit.entries(kube, "dev") == []


def test_free_lock_is_not_taken_over(kube: Any) -> None:
    with environment_lock(kube, "dev", command="turnout up dev", take_over=lambda _: pytest.fail("asked")):
        pass
    assert audit.entries(kube, "dev") == []


def test_heartbeat_that_comes_between_does_not_save_a_lock(cluster: Any, kube: Any) -> None:
    held_by_bea(cluster)

    def beat_first(request: Any) -> None:
        if request.method == "PUT":
            cluster.before_write.clear()
            held = cluster.find("leases", "lock", "turnout-dev")
            cluster.put(lease.renewed(held, "2026-01-01T00:00:09.000000Z"), "leases")

    cluster.before_write.append(beat_first)
    with environment_lock(kube, "dev", command="turnout up dev", take_over=lambda _: True):
        owner = lock.current(kube, "dev")
        assert owner and owner.pid == str(os.getpid())


def test_lock_that_another_took_meanwhile_is_theirs(cluster: Any, kube: Any) -> None:
    held_by_bea(cluster)

    def agree_late(_: lease.Holder) -> bool:
        held_by_bea(cluster, claim=Claim("carl@desk", "turnout up dev", "", 8, "", "token-of-carl"))
        return True

    with (
        pytest.raises(Locked, match="dev is locked"),
        environment_lock(kube, "dev", command="turnout up dev", take_over=agree_late),
    ):
        pass
    owner = lock.current(kube, "dev")
    assert owner and owner.who == "carl"
