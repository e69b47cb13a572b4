"""What a run planned or left behind, in a form that is the same for every run of the same pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cli.engine.events import Step
from tests.parity.pair import unplaced

Rows = dict[str, Any]
_QUIET = ("same", "refresh", "read")
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_PASSING = frozenset(
    (
        *("uid", "resourceVersion", "creationTimestamp", "generation", "time", "status", "selfLink"),
        *("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "volumeName", "deletionTimestamp"),
        "deployment.kubernetes.io/revision",
    )
)
"""What the server gives to each object anew."""
_MADE_UP = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\b([a-z0-9-]+)-[0-9a-f]{8}\b"), r"\1-HASH"),
    (re.compile(r"\bkube-api-access-[a-z0-9]{5}\b"), "kube-api-access-HASH"),
)
_CONTROLLERS = ("kube-controller-manager", "kube-apiserver", "kube-scheduler")


def plan(steps: Sequence[Step], namespace: str) -> Rows:
    """By resource: the operations in order, the changed top-level keys and the provider's list of changed fields.

    The order tells which comes first in a replacement, the new object or the deletion of the old one.
    """
    rows: dict[str, Any] = {}
    for step in steps:
        if step.operation in _QUIET:
            continue
        row = rows.setdefault(step.name, {"urn": step.urn, "operations": [], "diffs": [], "fields": {}})
        row["operations"].append(step.operation)
        row["diffs"] = sorted({*row["diffs"], *step.changed})
        row["fields"] |= {path: _field(entry) for path, entry in (step.detailed or {}).items()}
    return {name: {key: value for key, value in row.items() if value} for name, row in _tidy(rows, namespace).items()}


def state(rows: Mapping[str, Mapping[str, Any]], namespace: str) -> Rows:
    """By resource: what the state keeps, less what is the server's own or the clock's; secrets blinded."""
    kept = ("urn", "type", "id", "inputs", "outputs", "ignoreChanges", "protect", "retainOnDelete", "external")
    return _tidy(
        {name: {key: _lasting(row[key]) for key in kept if key in row} for name, row in rows.items()}, namespace
    )


def _tidy(rows: Rows, namespace: str) -> Rows:
    found: Rows = unplaced(dict(sorted(rows.items())), namespace)
    return found


def _field(entry: Mapping[str, Any]) -> str:
    return f"{entry['diffKind']}{' (of the inputs)' if entry.get('inputDiff') else ''}"


def _lasting(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, text in _MADE_UP:
            value = pattern.sub(text, value)
        return value
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _SIGNATURE in value:
        return "[secret]"
    if "managedFields" in value:
        own = [row for row in value["managedFields"] if row["manager"] not in _CONTROLLERS]
        value = {**value, "managedFields": sorted(own, key=lambda row: (row["manager"], row["operation"]))}
    return {key: _lasting(item) for key, item in sorted(value.items()) if key not in _PASSING}
