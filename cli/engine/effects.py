"""What a change means for what is running, judged from its kind and fields alone."""

from __future__ import annotations

from collections.abc import Iterable

from cli.engine.model import Effect, FieldChange, Operation

_RUNNING = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_ALSO_RUNNING = _RUNNING | {"Pod", "Job", "CronJob", "ReplicaSet"}
_HOLDS_DATA = frozenset({"PersistentVolumeClaim", "PersistentVolume", "StatefulSet", "Namespace"})
_SERVES = _RUNNING | {"Service", "Ingress", "Pod"}
_GONE = frozenset({Operation.DELETE, Operation.REPLACE})


def effects(type_token: str, operation: Operation, fields: Iterable[FieldChange]) -> tuple[Effect, ...]:
    """The effects of one change, in the order of `Effect`."""
    kind = type_token.rsplit(":", 1)[-1]
    paths = [entry.path for entry in fields]
    found = {
        Effect.RESTARTS_PODS: operation is Operation.UPDATE and kind in _RUNNING and _under(paths, "spec.template"),
        Effect.SCALES: operation is Operation.UPDATE and _under(paths, "spec.replicas"),
        Effect.DOWNTIME: operation is Operation.REPLACE and kind in _SERVES,
        Effect.DATA_AT_RISK: operation in _GONE and kind in _HOLDS_DATA,
        Effect.STOPS: operation is Operation.DELETE and kind in _ALSO_RUNNING,
    }
    return tuple(effect for effect, holds in found.items() if holds)


def _under(paths: Iterable[str], prefix: str) -> bool:
    return any(path == prefix or path.startswith((f"{prefix}.", f"{prefix}[")) for path in paths)
