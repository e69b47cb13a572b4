"""When a workload that was put back counts as rolled out."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from cli.rollout.plan import key
from cli.rollout.wait import judged, rolled_out

PAUSED = {"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused"}


def deployment(make: Any, updated: int, **spec: Any) -> Any:
    """Two copies by a bad template, `updated` of them by the one that was put back."""
    made = copy.deepcopy(make.ready(make.deployment("api", "1")))
    made["spec"] |= spec
    made["status"] |= {"updatedReplicas": updated, "conditions": [PAUSED] if spec.get("paused") else []}
    fields: dict[str, Any] = {"f:spec": {"f:paused": {}}}
    made["metadata"]["managedFields"] = [{"manager": "Mozilla", "operation": "Update", "fieldsV1": fields}]
    return made


def test_a_pause_that_keeps_old_pods_serving_is_told_with_who_and_how_to_end_it(make: Any) -> None:
    live = deployment(make, 0, paused=True)

    def watch(*_: Any) -> Iterator[tuple[str, Any]]:
        yield "ADDED", live
        time.sleep(1)

    kube: Any = SimpleNamespace(watch=watch)
    step: Any = SimpleNamespace(update=lambda _: None)
    [found] = rolled_out(kube, [key(live)], {}, timeout=0.5, step=step, check=lambda: None).values()
    assert not found.ready
    assert not found.failed, "somebody may end it while it is waited for"
    assert found.reason == (
        "paused by Mozilla (kubectl rollout resume deployment/api-a -n dev): 0 of 2 replicas updated"
    )


def test_a_pause_of_what_is_up_already_is_no_obstacle(make: Any) -> None:
    assert judged(deployment(make, 2, paused=True)).ready
    assert judged(deployment(make, 2)).ready


def test_an_older_state_is_no_verdict_on_a_pause(make: Any) -> None:
    early = deployment(make, 0, paused=True)
    early["metadata"]["generation"] = 2
    assert judged(early).reason == "the controller has not seen the change yet"
