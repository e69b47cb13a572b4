"""Live objects for tests, short to write."""

from __future__ import annotations

from typing import Any


def pod(name: str = "api-1", *, owner: str = "rs", ready: bool = False, **state: Any) -> dict[str, Any]:
    status = {"name": "app", "image": "app:1", "ready": ready, "restartCount": 0, "state": {"running": {}}, **state}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "dev", "ownerReferences": [{"uid": owner}]},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [status]},
    }


def event(name: str, reason: str, message: str, at: str = "2026-01-01T00:00:00Z", kind: str = "Pod") -> dict[str, Any]:
    about = {"name": name, "kind": kind, "fieldPath": "spec.containers{app}" if kind == "Pod" else ""}
    return {
        "metadata": {"name": "e"},
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
        "involvedObject": about,
    }


def deployment(
    *, want: int = 2, seen: bool = True, progressing: str = "NewReplicaSetAvailable", **status: Any
) -> dict[str, Any]:
    stuck = progressing == "ProgressDeadlineExceeded"
    row = {
        "type": "Progressing",
        "status": "False" if stuck else "True",
        "reason": progressing,
        "message": "it timed out",
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "api",
            "namespace": "dev",
            "uid": "dep",
            "generation": 3,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        "spec": {"replicas": want, "selector": {"matchLabels": {"app": "api"}}},
        "status": {
            "observedGeneration": 3 if seen else 2,
            "replicas": want,
            "updatedReplicas": want,
            "availableReplicas": want,
            "conditions": [row],
            **status,
        },
    }


def replica_set(revision: str = "2", uid: str = "rs", **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"api-{uid}",
            "uid": uid,
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"uid": "dep"}],
        },
        "status": status,
    }


def workload(kind: str, spec: dict[str, Any], status: dict[str, Any], api_version: str = "apps/v1") -> dict[str, Any]:
    metadata = {"name": "w", "namespace": "dev", "uid": "w", "generation": 1}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
        "status": {"observedGeneration": 1, **status},
    }
