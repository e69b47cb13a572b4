"""The environment's lock as data: who holds it, whether it is dead, and what is written to take, keep and leave it.

Nobody's clock is compared with anybody else's. A holder is dead when one of these is certain:
- its heartbeat was seen unchanged for the lease's duration on our own monotonic clock;
- the API server's own stamps (of the last write, and of now) are twice that duration apart;
- it ran on this machine, and its process is gone.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.rollout import process
from cli.rollout.control import labels, moment, namespace

NAME = "lock"
HEARTBEAT = 10.0
DURATION = 45
CERTAIN = 2 * DURATION

_PREFIX = "turnout.dev/"
_NOTES = ("command", "reason", "pid", "process", "claim", "phase", "abort")

_DRIVING = ("turnout rollout start", "turnout rollout resume")

Lease = dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """Who asks for the lock. `token` is new with every claim; `process` as in `cli.rollout.process`."""

    identity: str
    command: str
    reason: str
    pid: int
    process: str
    token: str


@dataclass(frozen=True)
class Holder:
    """Who has the lock; `since` is the owner's own stamp, for people to read and never to compute with."""

    identity: str
    command: str
    reason: str
    pid: str
    process: str
    token: str
    since: str
    renewed: str
    phase: str
    abort: str

    @property
    def who(self) -> str:
        return self.identity.partition("@")[0]

    @property
    def host(self) -> str:
        return self.identity.partition("@")[2]

    @property
    def process_gone(self) -> bool:
        return process.gone(self.process)

    @property
    def drives(self) -> bool:
        """Whether it drives a rollout."""
        return self.command.startswith(_DRIVING)

    def to_json(self) -> dict[str, str]:
        return {
            "who": self.who,
            "host": self.host,
            "command": self.command,
            "reason": self.reason,
            "pid": self.pid,
            "since": self.since,
            "phase": self.phase,
            "abort": self.abort,
        }


def holder(lease: Lease | None) -> Holder | None:
    """Who holds it; None when it is free."""
    spec = (lease or {}).get("spec") or {}
    if lease is None or not spec.get("holderIdentity"):
        return None
    notes = lease["metadata"].get("annotations") or {}
    read = {note: notes.get(_PREFIX + note, "") for note in _NOTES}
    return Holder(
        identity=spec["holderIdentity"],
        command=read["command"],
        reason=read["reason"],
        pid=read["pid"],
        process=read["process"],
        token=read["claim"],
        since=spec.get("acquireTime") or "",
        renewed=spec.get("renewTime") or "",
        phase=read["phase"],
        abort=read["abort"],
    )


def taken(lease: Lease | None, environment: str, claim: Claim, now: str) -> Lease:
    """The Lease with us as the holder; it carries the resourceVersion that it was decided on."""
    new = copy.deepcopy(lease) if lease else _empty(environment)
    transitions = (new.get("spec") or {}).get("leaseTransitions", -1) + 1
    new["metadata"]["annotations"] = {**_without_notes(new), **_claim_notes(claim)}
    new["spec"] = {
        "holderIdentity": claim.identity,
        "acquireTime": now,
        "renewTime": now,
        "leaseDurationSeconds": DURATION,
        "leaseTransitions": transitions,
    }
    return new


def released(lease: Lease) -> Lease:
    """The Lease with nobody as the holder."""
    new = copy.deepcopy(lease)
    new["metadata"]["annotations"] = _without_notes(new)
    new["spec"] = {key: value for key, value in new["spec"].items() if key == "leaseTransitions"}
    return new


def renewed(lease: Lease, now: str) -> Lease:
    new = copy.deepcopy(lease)
    new["spec"]["renewTime"] = now
    return new


def noted(lease: Lease, note: str, text: str) -> Lease:
    """The Lease with one more note: `phase` (by its holder) or `abort` (by anybody)."""
    new = copy.deepcopy(lease)
    new["metadata"].setdefault("annotations", {})[_PREFIX + note] = text
    return new


def server_silence(lease: Lease, server_now: str) -> float:
    """Seconds from the last write to now, both stamped by the API server."""
    written = [entry["time"] for entry in lease["metadata"].get("managedFields") or [] if entry.get("time")]
    if not written or not server_now:
        return 0.0
    return (moment(server_now) - max(map(moment, written))).total_seconds()


def age(stamp: str, now: datetime) -> str:
    """`3 min`, for people; the two clocks may differ, so it is never computed with."""
    if not stamp:
        return "unknown"
    seconds = max(0.0, (now - moment(stamp)).total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


class Silence:
    """How long one and the same heartbeat has been seen, on a monotonic clock."""

    def __init__(self) -> None:
        self._beat: tuple[str, str] | None = None
        self._first_seen = 0.0

    def observe(self, owner: Holder, now: float) -> float:
        """Seconds since this heartbeat was first seen."""
        beat = (owner.token, owner.renewed)
        if beat != self._beat:
            self._beat, self._first_seen = beat, now
        return now - self._first_seen


def _empty(environment: str) -> Lease:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": NAME, "namespace": namespace(environment), "labels": labels(environment, "lock")},
    }


def _claim_notes(claim: Claim) -> dict[str, str]:
    notes = {
        "command": claim.command,
        "reason": claim.reason,
        "pid": str(claim.pid),
        "process": claim.process,
        "claim": claim.token,
    }
    return {_PREFIX + note: text for note, text in notes.items()}


def _without_notes(lease: Lease) -> dict[str, str]:
    kept = lease["metadata"].get("annotations") or {}
    return {key: value for key, value in kept.items() if key.removeprefix(_PREFIX) not in _NOTES}
