"""What the demo measured: `.turnout/demo.json` and the summary at the end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cli.errors import TurnoutError

ROLLBACK_FACTOR, ROLLBACK_GRACE = 1.25, 1.0
"""A rollback is to take at most this many times what `kubectl rollout undo` takes, plus these seconds. One that takes
longer is told and fails nothing: each was timed once, and a busy machine delays whichever it likes."""

ENOUGH_REQUESTS = 20_000


def allowed_rollback(undo_seconds: float) -> float:
    """Seconds that a rolling rollback may take where `kubectl rollout undo` of the same took those."""
    return ROLLBACK_FACTOR * undo_seconds + ROLLBACK_GRACE


@dataclass
class Facts:
    """Seconds are wall-clock times of whole commands.

    But `rollback_seconds` and `kubectl_undo_seconds` end when every new connection to the api is answered by the old
    release: turnout then goes on with the other workloads, `rollback_command_seconds` in all, kubectl does not. With
    simulated pods no traffic is sent, and all are of whole commands.
    """

    requests: int = 0
    failed: int = 0
    served_by_servers: int = 0
    rollout_seconds: float = 0.0
    rollback_seconds: float = 0.0
    rollback_command_seconds: float = 0.0
    kubectl_undo_seconds: float = 0.0
    preview_seconds: float = 0.0
    up_seconds: float = 0.0
    second_up_changes: int = 0
    resources: int = 0
    services: list[str] = field(default_factory=list)
    unhealthy: dict[str, str] = field(default_factory=dict)
    engine: str = ""
    provider: str = ""
    pods: str = ""
    unprotected_requests: int = 0
    unprotected_failed: int = 0
    latency_ms: dict[str, float] = field(default_factory=dict)
    late: dict[str, float] = field(default_factory=dict)
    build_seconds: float = 0.0
    total_seconds: float = 0.0

    def write(self, file: Path) -> None:
        """Write everything as one JSON document."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_rounded(asdict(self)), indent=2) + "\n")


def shortcomings(facts: Facts) -> list[str]:
    """What does not hold of what the demo is to show; nothing when all is well."""
    found = []
    if facts.unhealthy:
        found.append(f"not healthy: {', '.join(f'{name} ({why})' for name, why in facts.unhealthy.items())}")
    if facts.second_up_changes:
        found.append(f"a second `up` changed {facts.second_up_changes} resources, expected none")
    if facts.pods == "real":
        found += _traffic_shortcomings(facts)
    return found


def _traffic_shortcomings(facts: Facts) -> list[str]:
    found = []
    answered = facts.requests - facts.failed
    if facts.failed:
        found.append(f"{facts.failed} of {facts.requests} requests failed")
    if facts.requests < ENOUGH_REQUESTS:
        found.append(f"only {facts.requests} requests were sent, {ENOUGH_REQUESTS} are needed")
    if facts.served_by_servers != answered:
        found.append(f"the servers count {facts.served_by_servers} requests, the generator {answered} answers")
    if not facts.unprotected_failed:
        found.append("without preStop and drain nothing failed either: the measurement proves nothing")
    return found


def check(facts: Facts) -> None:
    """Raises TurnoutError with every shortcoming."""
    if found := shortcomings(facts):
        raise TurnoutError("the demo did not show what it should", why="; ".join(found), next="turnout status dev")


def summary(facts: Facts) -> list[str]:
    """The facts as lines for a person."""
    lines = [
        ("environment", f"{facts.resources} resources, {len(facts.services)} services: {', '.join(facts.services)}"),
        ("engine", f"{facts.engine}, {facts.provider}, {facts.pods} pods"),
        ("up", f"{facts.up_seconds:.1f} s"),
        ("preview", f"{facts.preview_seconds:.1f} s with nothing changed"),
        ("rollout", f"{facts.rollout_seconds:.1f} s"),
        ("rollback", f"{facts.rollback_seconds:.1f} s ({_beside_kubectl(facts)})"),
        ("", f"{facts.rollback_command_seconds:.1f} s until every other workload was back as well"),
        ("second up", f"{facts.second_up_changes} changes"),
        *_traffic_lines(facts),
        ("time", f"{facts.total_seconds:.0f} s, of which {facts.build_seconds:.0f} s building"),
    ]
    return [f"{name:<12} {text}" for name, text in lines]


def _beside_kubectl(facts: Facts) -> str:
    told = f"kubectl rollout undo: {facts.kubectl_undo_seconds:.1f} s"
    allowed = allowed_rollback(facts.kubectl_undo_seconds)
    is_slow = facts.pods == "real" and facts.rollback_seconds > allowed
    return f"{told}; slower than the {allowed:.1f} s it is to take: is the machine busy?" if is_slow else told


def _traffic_lines(facts: Facts) -> list[tuple[str, str]]:
    if facts.pods != "real":
        return [("traffic", "none: simulated pods answer nothing")]
    latency = ", ".join(f"{name} {value} ms" for name, value in facts.latency_ms.items())
    late = facts.late
    return [
        ("traffic", f"{facts.requests} requests, {facts.failed} failed; the servers counted {facts.served_by_servers}"),
        ("", f"{latency}; sent over 50 ms late: {late['count']:.0f} (at most {late['max_ms']} ms)"),
        ("unprotected", f"{facts.unprotected_failed} of {facts.unprotected_requests} failed without preStop and drain"),
    ]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 2) if isinstance(value, float) else value
