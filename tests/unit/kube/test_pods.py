from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.kube import pods
from tests.unit.kube.objects import event, pod

BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}


def test_a_missing_image_is_told_with_the_registrys_own_words() -> None:
    waiting = pod(state={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}})
    events = [
        event("api-1", "Failed", 'Failed to pull image "app:1": not found'),
        event("api-1", "Failed", "Error: ErrImagePull", at="2026-01-01T00:00:01Z"),
    ]
    (cause,) = pods.causes(waiting, events)
    assert cause.what == "image" and not cause.hopeless
    assert (
        str(cause) == 'pod api-1, container app: its image app:1 cannot be had: Failed to pull image "app:1": not found'
    )


def test_an_image_that_may_not_be_pulled_will_never_come() -> None:
    (cause,) = pods.causes(pod(state={"waiting": {"reason": "ErrImageNeverPull", "message": "absent"}}))
    assert cause.hopeless


def test_a_crash_loop_shows_the_last_lines() -> None:
    crashed = pod(state=BACK_OFF, lastState={"terminated": {"exitCode": 3, "reason": "Error"}}, restartCount=4)
    (cause,) = pods.causes(crashed, logs={("api-1", "app"): ["starting", "FATAL: no database"]})
    assert str(cause).splitlines() == [
        "pod api-1, container app: crash-loops: it ended with exit code 3, restarted 4 times; its last lines:",
        "    starting",
        "    FATAL: no database",
    ]
    assert pods.crashed_containers(crashed) == [("app", True)]


def test_a_container_that_is_down_right_now_has_its_log_at_hand() -> None:
    assert pods.crashed_containers(pod(state={"terminated": {"exitCode": 1}})) == [("app", False)]


def test_running_out_of_memory_is_named() -> None:
    (cause,) = pods.causes(pod(state=BACK_OFF, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}))
    assert "out of memory" in cause.message


def test_a_command_that_does_not_exist_cannot_be_started() -> None:
    ended = {"exitCode": 128, "reason": "StartError", "message": 'exec: "/nope": no such file'}
    (cause,) = pods.causes(pod(state=BACK_OFF, lastState={"terminated": ended}))
    assert cause.message == 'cannot be started: exec: "/nope": no such file'


def test_a_failing_probe_is_told_in_its_last_words() -> None:
    events = [
        event("api-1", "Unhealthy", "Readiness probe failed: 500", at="2026-01-01T00:00:00Z"),
        event("api-1", "Unhealthy", "Readiness probe failed: 503", at="2026-01-01T00:00:09Z"),
        event("other", "Unhealthy", "Readiness probe failed: 404", at="2026-01-01T00:01:00Z"),
    ]
    (cause,) = pods.causes(pod(), events)
    assert (cause.what, cause.message) == ("probe", "Readiness probe failed: 503")


def test_the_schedulers_own_words_are_passed_on() -> None:
    pending: dict[str, Any] = pod()
    row = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    pending["status"] = {"phase": "Pending", "conditions": [row]}
    (cause,) = pods.causes(pending)
    assert str(cause) == "pod api-1: cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu."


def test_a_volume_that_cannot_be_mounted_is_told_from_the_events() -> None:
    creating = pod(state={"waiting": {"reason": "ContainerCreating"}})
    (cause,) = pods.causes(creating, [event("api-1", "FailedMount", 'secret "x" not found')])
    assert (cause.what, cause.message) == ("volume", 'secret "x" not found')


@pytest.mark.parametrize("fine", [pod(ready=True), {**pod(), "status": {"phase": "Succeeded"}}])
def test_a_pod_that_is_fine_has_no_causes(fine: dict[str, Any]) -> None:
    assert pods.causes(fine) == []


def test_a_finished_init_container_is_no_crash() -> None:
    waiting = pod(state={"waiting": {"reason": "PodInitializing"}})
    waiting["status"]["initContainerStatuses"] = [
        {"name": "init", "ready": True, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    ]
    assert pods.causes(waiting) == []


ENDED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def ended(*, after: float = 0.0, code: int = 3) -> dict[str, Any]:
    began = ENDED - timedelta(seconds=after)
    return {"terminated": {"exitCode": code, "startedAt": stamp(began), "finishedAt": stamp(ENDED)}}


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("lasted", "runs_for", "relapses"),
    [(0, 9, True), (0, 10, False), (30, 29, True), (30, 30, False), (3600, 59, True), (3600, 60, False)],
)
def test_a_crash_counts_until_the_container_has_run_for_as_long_again(
    lasted: float, runs_for: float, relapses: bool
) -> None:
    running = {"running": {"startedAt": stamp(ENDED)}}
    found = pod(ready=True, state=running, lastState=ended(after=lasted), restartCount=1)
    logs = {("api-1", "app"): ["boom"]}
    said = [str(cause) for cause in pods.relapsing(found, ENDED + timedelta(seconds=runs_for), logs)]
    where = "pod api-1, container app"
    assert said == (
        [f"{where}: ended with exit code 3, restarted 1 time; its last lines:\n    boom"] if relapses else []
    )


def test_a_crash_counts_at_the_moment_of_it_and_while_it_is_waited_for() -> None:
    later = ENDED + timedelta(hours=1)
    assert pods.relapsing(pod(ready=True, state=ended()), later)
    assert pods.relapsing(pod(ready=True, state=BACK_OFF, lastState=ended(), restartCount=1), later)


def test_what_ended_well_or_for_good_does_not_relapse() -> None:
    running = {"running": {"startedAt": stamp(ENDED)}}
    assert pods.relapsing(pod(ready=True, state=running, lastState=ended(code=0), restartCount=1), ENDED) == []
    done = pod(state=ended())
    done["status"]["phase"] = "Failed"
    assert pods.relapsing(done, ENDED) == []
    leaving = pod(state=ended())
    leaving["metadata"]["deletionTimestamp"] = stamp(ENDED)
    assert pods.relapsing(leaving, ENDED) == []
