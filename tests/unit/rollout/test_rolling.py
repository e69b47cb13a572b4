"""A rollout with an engine that does as it is told: success, failure with a rollback, an early stop, an abort."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from cli.engine.model import Change, Operation, Outcome, Plan, ResourceFailure
from cli.errors import Interrupted, Locked, RollbackFailed, RolledBack, TurnoutError
from cli.kube.health import Health
from cli.progress import Silent
from cli.rollout import audit, lock, releases, rolling, wait, watcher
from cli.rollout.lock import environment_lock

CHANGE = Change("urn::api", "kubernetes:apps/v1:Deployment", "dev/api-a", Operation.UPDATE)


class Engine:
    """`apply` is what its `up` does to the cluster; it returns the failures."""

    environment = "dev"

    def __init__(self, root: Path, apply: Any, changes: tuple[Change, ...] = (CHANGE,)) -> None:
        self.root, self._apply, self._changes = root, apply, changes

    def preview(self) -> Plan:
        return Plan("dev", self._changes, {}, 0.1, "pulumi", "own")

    def up(self, *, message: str = "") -> Outcome:  # noqa: ARG002
        record, failures = self._apply()
        return Outcome("dev", not failures, self._changes, {}, {"release": record}, (), failures, 0.1, "pulumi", "own")


class NoWatcher:
    """Sees nothing."""

    def __init__(self, *_: Any) -> None:
        self.verdict = ""
        self.evidence: list[str] = []

    def __enter__(self) -> NoWatcher:
        return self

    def __exit__(self, *_: Any) -> None: ...


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "Watcher", NoWatcher)
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})


@pytest.fixture
def one(cluster: Any, make: Any) -> Any:
    """Release 1 of `api` runs."""
    cluster.put(make.record("release-1", [make.deployment("api", "1")])[0], "configmaps")
    cluster.put(make.ready(make.deployment("api", "1")), "deployments")
    return cluster


def roll(kube: Any, engine: Engine, **options: Any) -> rolling.Rolled:
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        return rolling.start(kube, engine, held, Silent(), reason="why not", **options)


def image(cluster: Any) -> str:
    return str(cluster.find("deployments", "api-a")["spec"]["template"]["spec"]["containers"][0]["image"])


def test_good_release_gets_its_number_and_an_audit_entry(one: Any, kube: Any, make: Any, tmp_path: Path) -> None:
    def apply() -> Any:
        one.put(make.record("release-2", [make.deployment("api", "2")])[0], "configmaps")
        return "release-2", ()

    rolled = roll(kube, Engine(tmp_path, apply))
    assert rolled.release and (rolled.release.number, rolled.release.kind) == (2, "rollout")
    [entry] = audit.entries(kube, "dev")
    assert (entry.what, entry.outcome, entry.why) == ("turnout rollout start dev", "done", "why not")


@pytest.mark.usefixtures("one")
def test_nothing_changed_nothing_is_done(kube: Any, tmp_path: Path) -> None:
    rolled = roll(kube, Engine(tmp_path, pytest.fail, changes=()))
    assert (rolled.release, rolled.changes) == (None, 0)
    assert audit.entries(kube, "dev") == []


@pytest.mark.usefixtures("one")
def test_nothing_left_to_apply_ends_what_a_dead_driver_left_open(kube: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), releases.attempt(kube, "dev", kind="rollout"):
        raise KeyboardInterrupt
    assert releases.load(kube, "dev").open
    rolled = roll(kube, Engine(tmp_path, lambda: ("release-1", ()), changes=()), agree=pytest.fail)
    assert rolled.release and rolled.release.number == 1
    assert releases.load(kube, "dev").open is None


@pytest.mark.usefixtures("one")
def test_no_is_no(kube: Any, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="dev was not touched"):
        roll(kube, Engine(tmp_path, pytest.fail), agree=lambda _: False)


def test_bad_release_is_taken_back_and_the_cause_told(one: Any, kube: Any, make: Any, tmp_path: Path) -> None:
    def apply() -> Any:
        one.put(make.deployment("api", "2"), "deployments")
        return None, (ResourceFailure("urn::dev/api-a", "not ready\npod api-1: crash-loops"),)

    with pytest.raises(RolledBack, match="release 1 serves") as failed:
        roll(kube, Engine(tmp_path, apply))
    assert failed.value.exit_code == 6
    assert "crash-loops" in failed.value.why
    assert image(one) == "api:1"
    book = releases.load(kube, "dev")
    assert book.open is None
    assert book.current and book.current.number == 1
    assert [entry.outcome for entry in audit.entries(kube, "dev")] == ["done", "failed: dev/api-a: not ready"]
    assert lock.current(kube, "dev") is None


def test_rollback_that_fails_too_is_exit_7(
    one: Any, kube: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply() -> Any:
        one.put(make.deployment("api", "2"), "deployments")
        return None, (ResourceFailure("urn::dev/api-a", "not ready"),)

    place = ("Deployment", "dev", "api-a")
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {place: Health(False, reason="0 of 2 available")})
    with pytest.raises(RollbackFailed, match="0 of 2 available") as failed:
        roll(kube, Engine(tmp_path, apply))
    assert failed.value.exit_code == 7


def test_first_release_that_fails_has_nothing_to_go_back_to(kube: Any, tmp_path: Path) -> None:
    engine = Engine(tmp_path, lambda: (None, (ResourceFailure("urn::dev/api-a", "not ready"),)))
    with pytest.raises(TurnoutError, match="has no release to go back to") as failed:
        roll(kube, engine)
    assert failed.value.exit_code == 1


@pytest.mark.usefixtures("one")
def test_program_that_fails_before_anything_is_applied_is_an_error_not_a_rollback(kube: Any, tmp_path: Path) -> None:
    def apply() -> Any:
        raise TurnoutError("the program failed", why="SyntaxError")

    with pytest.raises(TurnoutError, match="the program failed") as failed:
        roll(kube, Engine(tmp_path, apply))
    assert failed.value.exit_code == 1
    assert releases.load(kube, "dev").open is None


def test_nothing_is_taken_back_once_somebody_else_has_the_lock(one: Any, kube: Any, make: Any, tmp_path: Path) -> None:
    def apply() -> Any:
        one.put(make.deployment("api", "2"), "deployments")
        return None, (ResourceFailure("urn::dev/api-a", "not ready"),)

    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        held._lost.set()
        with pytest.raises(Locked):
            rolling.start(kube, Engine(tmp_path, apply), held, Silent())
    assert image(one) == "api:2"
    assert [release.number for release in releases.load(kube, "dev").releases] == [1]


def crash_looping() -> Any:
    status = {"name": "api", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "api-9", "namespace": "dev", "uid": "9", "resourceVersion": "9"},
        "spec": {"containers": [{"name": "api"}]},
        "status": {"containerStatuses": [status]},
    }


def watching(kube: Any, events: list[Any], stop: Any, held: Any, monkeypatch: pytest.MonkeyPatch) -> watcher.Watcher:
    never = threading.Event()

    def watch(_: str, kind: str, *__: Any, **___: Any) -> Any:
        yield from ((("MODIFIED", row) for row in events) if kind == "Pod" else ())
        never.wait(30)

    monkeypatch.setattr(kube, "watch", watch)
    monkeypatch.setattr(watcher, "evidence", lambda *_: ["its last lines"])
    return watcher.Watcher(kube, "dev", held, stop)


def test_engine_is_stopped_at_the_first_certain_sign(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [crash_looping()], stopped.set, held, monkeypatch) as seen:
            assert stopped.wait(10)
        assert seen.verdict == "pod api-9, container api: crash-loops: restarted 2 times"
        assert seen.evidence == ["its last lines"]


def test_pod_that_was_there_before_is_not_the_rollouts_fault(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = crash_looping()
    old["metadata"]["labels"] = make.labels("api")
    cluster.put(old, "pods")
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [old], stopped.set, held, monkeypatch) as seen:
            assert not stopped.wait(1)
        assert seen.verdict == ""


def test_abort_from_elsewhere_stops_the_engine(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [], stopped.set, held, monkeypatch) as seen:
            lock.ask_abort(kube, "dev", "carl@phone: wrong version")
            assert stopped.wait(10)
        assert seen.verdict == "aborted by carl@phone: wrong version"


def test_engine_is_stopped_when_the_lock_is_lost(cluster: Any, kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [], stopped.set, held, monkeypatch) as seen:
            del cluster.objects["turnout-dev", "leases", "lock"]
            assert stopped.wait(10)
        assert seen.verdict == "the lock of dev was lost"
