"""What is seen of pods, people and the lock while a rollout goes on, and that the engine is stopped for it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from cli.rollout import lock, watcher
from cli.rollout.lock import environment_lock


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
    return watcher.Watcher(kube, "dev", held, stop=stop)


def test_engine_is_stopped_at_the_first_certain_sign(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [crash_looping()], stopped.set, held, monkeypatch) as seen, seen.engine_runs():
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
        with watching(kube, [old], stopped.set, held, monkeypatch) as seen, seen.engine_runs():
            assert not stopped.wait(1)
        assert seen.verdict == ""


def test_abort_from_elsewhere_stops_the_engine(kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [], stopped.set, held, monkeypatch) as seen, seen.engine_runs():
            lock.ask_abort(kube, "dev", "carl@phone: wrong version")
            assert stopped.wait(10)
        assert seen.verdict == "aborted by carl@phone: wrong version"


def test_engine_is_stopped_when_the_lock_is_lost(cluster: Any, kube: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    with environment_lock(kube, "dev", command="turnout rollout start dev") as held:
        with watching(kube, [], stopped.set, held, monkeypatch) as seen, seen.engine_runs():
            del cluster.objects["turnout-dev", "leases", "lock"]
            assert stopped.wait(10)
        assert seen.verdict == "the lock of dev was lost"


def test_a_pod_of_the_rollout_that_goes_on_is_judged_though_it_was_there(
    cluster: Any, kube: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = crash_looping()
    old["metadata"]["labels"] = make.labels("api")
    cluster.put(old, "pods")
    with environment_lock(kube, "dev", command="turnout rollout resume dev") as held:
        seen = watching(kube, [old], lambda: None, held, monkeypatch)
        seen._ours = lambda pod: pod["metadata"]["name"] == "api-9"
        with seen:
            assert seen_within(seen, 10)
        assert "crash-loops" in seen.verdict


def test_a_sign_between_two_runs_of_the_engine_stops_the_next_one_only(
    kube: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    with (
        environment_lock(kube, "dev", command="turnout rollout start dev") as held,
        watching(kube, [crash_looping()], stopped.set, held, monkeypatch) as seen,
    ):
        assert seen_within(seen, 10)
        assert not stopped.is_set()
        with seen.engine_runs():
            assert stopped.is_set()


def seen_within(seen: watcher.Watcher, seconds: float) -> bool:
    pause = threading.Event()
    return any(seen.verdict or pause.wait(0.1) for _ in range(int(seconds * 10)))
