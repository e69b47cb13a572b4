"""The audit trail in Loki: every entry as one line of a stream, for Grafana and for longer than the cluster keeps it.

An entry is marked once Loki has it. One that could not be sent is sent by whoever writes the next; Loki drops what it
has already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cli.kube.errors import Forbidden, Invalid, NotFound
from cli.rollout.control import MANAGER, Manifest, moment, namespace
from components.environment import Namespaces
from components.names import AUDIT_STREAM, ENVIRONMENT, KIND

if TYPE_CHECKING:
    from cli.kube.client import Kube

SENT: Final = "turnout.dev/sent"
PENDING: Final = "no"

_PUSH: Final = "/loki/api/v1/push"
_AT_ONCE: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_OLD: Final = timedelta(days=6)
"""Loki refuses lines that are older than a week."""


def send(kube: Kube, environment: str, new: Manifest) -> None:
    """Send an entry that was just written, and then those before it that are still to be sent. Raises KubeError."""
    _push(kube, environment, [new])
    _mark(kube, environment, [new])
    selector = f"{KIND}=audit,{ENVIRONMENT}={environment},{SENT}={PENDING}"
    found = kube.list("v1", "ConfigMap", namespace(environment), labels=selector)
    for batch in batches(found, datetime.now(UTC)):
        with suppress(Invalid):
            _push(kube, environment, batch)
        _mark(kube, environment, batch)


def batches(entries: Iterable[Manifest], now: datetime) -> list[list[Manifest]]:
    """Those that Loki still takes, oldest first, in pieces of a size that it takes."""
    fresh = [entry for entry in entries if now - moment(entry["data"]["when"]) < _TOO_OLD]
    fresh.sort(key=lambda entry: str(entry["data"]["when"]))
    return [fresh[at : at + _AT_ONCE] for at in range(0, len(fresh), _AT_ONCE)]


def stream(environment: str, entries: Sequence[Manifest]) -> dict[str, Any]:
    """What Loki's push API takes: the entries' data as JSON lines, at the time that they were written."""
    values = [[_nanoseconds(entry["data"]["when"]), json.dumps(entry["data"], sort_keys=True)] for entry in entries]
    return {"streams": [{"stream": {"job": AUDIT_STREAM, "environment": environment}, "values": values}]}


def _push(kube: Kube, environment: str, entries: Sequence[Manifest]) -> None:
    kube.proxy_post(Namespaces.of(environment).monitoring, "loki", "http", _PUSH, stream(environment, entries))


def _mark(kube: Kube, environment: str, entries: Sequence[Manifest]) -> None:
    """Who may not mark them lets them be sent once more."""
    body = {"metadata": {"labels": {SENT: "yes"}}}
    with suppress(Forbidden, NotFound):
        for entry in entries:
            kube.patch("v1", "ConfigMap", entry["metadata"]["name"], namespace(environment), body, MANAGER)


def _nanoseconds(stamp: str) -> str:
    return str((moment(stamp) - _EPOCH) // timedelta(microseconds=1) * 1_000)
