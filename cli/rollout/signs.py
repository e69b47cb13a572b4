"""The signs by which a rollout is known to fail before its deadline: pure judgements on one live object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.kube.health import health
from cli.kube.pods import HOPELESS, IMAGE, is_ready
from cli.rollout.control import Manifest

RESTARTS = 2
PULLING = 20.0
"""Seconds for which a registry may fail for a reason that passes."""

_MISSING = ("not found", "no such host", "manifest unknown", "access denied", "does not exist", "unauthorized")


def of_pod(pod: Manifest, seconds: float = 0.0) -> str:
    """Why this pod will not come up; empty while it may. `seconds`: for how long it has been seen without its image."""
    if is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
        return ""
    name = pod["metadata"]["name"]
    for status in _containers(pod):
        if why := _crash(status) or _image(status, seconds):
            return f"pod {name}, container {status['name']}: {why}"
    return ""


def waits_for_image(pod: Manifest) -> bool:
    return any(_waiting(status).get("reason") in IMAGE for status in _containers(pod))


def of_workload(live: Manifest) -> str:
    """Why this Deployment or StatefulSet has given up; empty while it goes on."""
    judged = health(live)
    return f"{live['kind']} {live['metadata']['name']}: {judged.reason}" if judged.failed else ""


def _crash(status: Mapping[str, Any]) -> str:
    restarts = status.get("restartCount", 0)
    running = "running" in (status.get("state") or {})
    if restarts < RESTARTS or running:
        return ""
    return f"crash-loops: restarted {restarts} times"


def _image(status: Mapping[str, Any], seconds: float) -> str:
    waiting = _waiting(status)
    if waiting.get("reason") not in IMAGE:
        return ""
    said = str(waiting.get("message", ""))
    certain = waiting["reason"] in HOPELESS or seconds >= PULLING or any(word in said for word in _MISSING)
    return f"its image {status.get('image')} cannot be had" if certain else ""


def _containers(pod: Manifest) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(field) or []


def _waiting(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return (status.get("state") or {}).get("waiting") or {}
