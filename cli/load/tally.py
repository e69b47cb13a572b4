"""Counting of a load run while it goes on, and the result that it ends with."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

LATE = 0.05
"""A request sent this many seconds after its time is counted as late: the generator's own stall, not the server's."""

LONG = 1.0
"""Seconds from which on an answer counts as slow."""

KEPT_FAILURES = 50


@dataclass(frozen=True)
class Sent:
    """One request that was answered or given up. Times are seconds of the wall clock, as time.time() gives them."""

    kind: str
    due: float
    sent: float
    done: float
    outcome: str
    version: str = ""
    pod: str = ""


@dataclass
class Tally:
    """Everything that is counted; `result` turns it into a JSON document."""

    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    versions: dict[str, dict[str, float]] = field(default_factory=dict)
    pods: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    new_connections: list[tuple[float, str]] = field(default_factory=list)
    kept_connections: list[tuple[float, str]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    stalled: float = 0.0
    processors: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, one: Sent) -> None:
        """Count one request."""
        ok = one.outcome == "ok"
        self.outcomes[one.outcome] += 1
        self.kinds[one.kind]["sent"] += 1
        self.kinds[one.kind]["ok" if ok else "failed"] += 1
        self.seconds[int(one.sent)][one.version if ok else "failed"] += 1
        if one.sent - one.due > LATE:
            self.late.append(one.sent - one.due)
        if ok:
            self._answered(one)
        elif len(self.failures) < KEPT_FAILURES:
            self.failures.append({"at": round(one.sent, 3), "kind": one.kind, "outcome": one.outcome})

    def _answered(self, one: Sent) -> None:
        self.pods[one.pod] += 1
        seen = self.versions.setdefault(one.version, {"count": 0, "first": one.sent, "last": one.sent})
        seen["count"] += 1
        seen["first"] = min(seen["first"], one.sent)
        seen["last"] = max(seen["last"], one.sent)
        if one.kind == "new":
            self.new_connections.append((one.sent, one.version))
        if one.kind == "kept":
            self.kept_connections.append((one.sent, one.version))
        if one.kind != "slow":
            self.latencies.append(one.done - one.sent)

    def result(self, *, url: str, rate: float, began: float, ended: float) -> dict[str, Any]:
        """The whole run as plain data. Times are seconds of the wall clock, latencies milliseconds."""
        sent = sum(self.outcomes.values())
        return {
            "url": url,
            "rate": rate,
            "began": round(began, 3),
            "seconds": round(ended - began, 3),
            "requests": sent,
            "ok": self.outcomes["ok"],
            "failed": sent - self.outcomes["ok"],
            "outcomes": dict(self.outcomes),
            "kinds": {kind: dict(counts) for kind, counts in sorted(self.kinds.items())},
            "versions": self.versions,
            "pods": dict(self.pods),
            "latency_ms": percentiles(self.latencies),
            "over_a_second": sum(latency > LONG for latency in self.latencies),
            "late": {
                "count": len(self.late),
                "max_ms": round(max(self.late, default=0.0) * 1000, 1),
                "stalled_seconds": round(self.stalled, 3),
                "processors_stalled_seconds": round(self.processors, 3),
            },
            "new_connections": runs(self.new_connections),
            "kept_connections": runs(self.kept_connections),
            "timeline": [{"at": at, **counts} for at, counts in sorted(self.seconds.items())],
            "failures": self.failures,
        }


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p90, p99 and the maximum in milliseconds, nearest rank; zeros when there is no value."""
    ranked = sorted(values) or [0.0]
    found = {name: ranked[min(len(ranked) - 1, int(share * len(ranked)))] for name, share in _SHARES.items()}
    return {name: round(value * 1000, 1) for name, value in found.items()}


_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def runs(answers: list[tuple[float, str]]) -> list[list[Any]]:
    """Answers in the order of their sending, run-length encoded: [version, first sent, last sent, count] each."""
    found: list[list[Any]] = []
    for at, version in sorted(answers):
        if found and found[-1][0] == version:
            found[-1][2], found[-1][3] = at, found[-1][3] + 1
        else:
            found.append([version, at, at, 1])
    return found


def only_since(
    result: dict[str, Any], version: str, *, after: float, before: float = float("inf"), over: str = "new"
) -> float | None:
    """When the last request between `after` and `before` was answered by anything but `version`.

    `over`: `new` connections, or `kept` ones. Seconds of the wall clock, `after` itself when there was none. None when
    `version` did not have the last word.
    """
    span: list[list[Any]] = [run for run in result[f"{over}_connections"] if run[2] >= after and run[1] < before]
    if not span or span[-1][0] != version:
        return None
    return max([after, *(float(run[2]) for run in span if run[0] != version)])


def identity(body: bytes) -> tuple[str, str]:
    """Version and pod from an answer's JSON body, "" for what it does not say."""
    try:
        said = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    return str(said.get("version", "")), str(said.get("pod", ""))
