"""Certain signs of failure: told early, and never of a pod that may still come up."""

from __future__ import annotations

from typing import Any

import pytest

from cli.rollout import signs


def pod(*, restarts: int = 0, waiting: str = "", message: str = "", ready: bool = False) -> Any:
    state = {"waiting": {"reason": waiting, "message": message}} if waiting else {"running": {}}
    return {
        "metadata": {"name": "api-1", "namespace": "dev", "uid": "1"},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "api", "image": "api:2", "restartCount": restarts, "state": state}],
        },
    }


@pytest.mark.parametrize(
    ("seen", "seconds", "sign"),
    [
        (pod(), 0, ""),
        (pod(restarts=1, waiting="CrashLoopBackOff"), 0, ""),
        (pod(restarts=2, waiting="CrashLoopBackOff"), 0, "crash-loops: restarted 2 times"),
        (pod(restarts=2), 0, ""),
        (pod(restarts=5, ready=True), 0, ""),
        (pod(waiting="ErrImagePull", message="connection reset by peer"), 0, ""),
        (pod(waiting="ImagePullBackOff", message="connection reset by peer"), 21, "its image api:2 cannot be had"),
        (pod(waiting="ErrImagePull", message="manifest unknown: not found"), 0, "its image api:2 cannot be had"),
        (pod(waiting="ErrImageNeverPull"), 0, "its image api:2 cannot be had"),
        (pod(waiting="ContainerCreating"), 300, ""),
    ],
)
def test_sign_of_a_pod(seen: Any, seconds: float, sign: str) -> None:
    told = signs.of_pod(seen, seconds)
    assert told == (f"pod api-1, container api: {sign}" if sign else "")


def test_pod_that_is_being_deleted_says_nothing() -> None:
    ending = pod(restarts=3, waiting="CrashLoopBackOff")
    ending["metadata"]["deletionTimestamp"] = "2026"
    assert signs.of_pod(ending) == ""


def test_init_containers_count() -> None:
    starting = pod()
    starting["status"]["initContainerStatuses"] = pod(restarts=3, waiting="CrashLoopBackOff")["status"][
        "containerStatuses"
    ]
    assert "restarted 3 times" in signs.of_pod(starting)


def test_deployment_past_its_deadline_has_given_up(make: Any) -> None:
    late = make.ready(make.deployment("api", "2"))
    assert signs.of_workload(late) == ""
    row = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    late["status"]["conditions"] = [row]
    assert "Deployment api-a: gave up: timed out" in signs.of_workload(late)
