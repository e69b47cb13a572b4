"""Gives the old track one pod of the new one's age, for the gates to compare with (`cli.gates.peers`).

The oldest ready pod is evicted, so a disruption budget may say no, and its ReplicaSet makes another. That one is kept
when the track loses copies: without a word about it Kubernetes ends the youngest first.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from cli.kube import pods
from cli.kube.errors import KubeError
from cli.kube.requests import Request
from cli.kube.retry import Policy, Tries
from cli.rollout.moves import MANAGER
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    from cli.kube.client import Kube

BASELINE: Final = "turnout.dev/baseline"
"""Annotation of the pod: the rollout that it was renewed for."""
KEPT: Final = {"controller.kubernetes.io/pod-deletion-cost": "1000"}
LONGEST: Final = 60.0
"""Seconds for a new pod to be ready; without one the comparison is with older pods, and says so."""
_FEWEST: Final = 2
_TICK: Final = 0.5

Pod = dict[str, Any]


def renew(kube: Kube, environment: str, service: str, letter: str, rollout: str) -> str | None:
    """The name of the pod that is there for this rollout, made anew unless it is there; None where that cannot be.

    May be repeated. Raises KubeError where pods may not be read.
    """
    found = _ready(kube, environment, service, letter)
    if known := next((pod for pod in found if _annotations(pod).get(BASELINE) == rollout), None):
        return str(known["metadata"]["name"])
    if len(found) < _FEWEST or not _evicted(kube, found[0]):
        return None
    return _kept(kube, environment, service, letter, rollout, {pod["metadata"]["uid"] for pod in found})


def _ready(kube: Kube, environment: str, service: str, letter: str) -> list[Pod]:
    """The track's ready pods, oldest first."""
    labels = f"app.kubernetes.io/name={service},{TRACK_LABEL}={letter}"
    live = [pod for pod in kube.list("v1", "Pod", environment, labels=labels) if pods.is_ready(pod)]
    return sorted(
        (pod for pod in live if not pod["metadata"].get("deletionTimestamp")),
        key=lambda pod: str(pod["metadata"]["creationTimestamp"]),
    )


def _evicted(kube: Kube, pod: Pod) -> bool:
    """Whether it may go, and does."""
    place = {name: pod["metadata"][name] for name in ("name", "namespace")}
    path = f"/api/v1/namespaces/{place['namespace']}/pods/{place['name']}/eviction"
    body = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": place}).encode()
    request = Request("POST", path, f"evict Pod {place['namespace']}/{place['name']}", body=body, repeatable=False)
    try:
        kube.run(kube.server.exchange(request, Tries(Policy(attempts=1, restart=1), time.monotonic)))
    except KubeError:
        return False
    return True


def _kept(kube: Kube, environment: str, service: str, letter: str, rollout: str, before: set[str]) -> str | None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        fresh = [pod for pod in _ready(kube, environment, service, letter) if pod["metadata"]["uid"] not in before]
        if fresh:
            name = str(fresh[-1]["metadata"]["name"])
            marks = {"metadata": {"annotations": {**KEPT, BASELINE: rollout}}}
            with suppress(KubeError):
                kube.patch("v1", "Pod", name, environment, marks, MANAGER)
            return name
        time.sleep(_TICK)
    return None


def _annotations(pod: Pod) -> dict[str, str]:
    return pod["metadata"].get("annotations") or {}
