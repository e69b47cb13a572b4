"""Exceptions from policies that parts of this repository need: each part says itself why. Loads without Pulumi."""

from __future__ import annotations

from typing import Final

from components.collector import workload as collector
from components.environment import AGENTS_REASON
from components.node_exporter import workload as node_exporter

Entry = dict[str, str]

_UNTIL: Final = {"owner": "platform", "expires": "2027-12-31"}
_AGENTS: Final[dict[str, Entry]] = {
    "agents-namespace": {
        "rule": "pod-security-enforced",
        "where": "Namespace *-agents",
        "reason": AGENTS_REASON,
    },
    "collector-reads-logs": {
        "rule": "host-path",
        "where": "DaemonSet *-agents/collector",
        "reason": collector.REASON,
    },
    "collector-is-root": {
        "rule": "run-as-non-root",
        "where": "DaemonSet *-agents/collector",
        "reason": f"{collector.REASON} It has no capability and writes nothing there.",
    },
    "node-exporter-reads-its-node": {
        "rule": "host-path",
        "where": "DaemonSet *-agents/node-exporter",
        "reason": node_exporter.REASON,
    },
}
_SINGLE: Final[dict[str, Entry]] = {
    f"one-{name}": {"rule": "two-replicas", "where": f"StatefulSet {where}/{name}", "reason": reason}
    for name, where, reason in (
        ("postgres", "*", "One writer, whose volume follows it to another node; a managed database has a standby."),
        ("redis", "*", "One writer, whose volume follows it to another node; a managed one has a standby."),
        ("loki", "*-monitoring", "No request waits for it; collectors keep what they could not send meanwhile."),
        ("grafana", "*-monitoring", "No request waits for it; alerts are raised and sent without it."),
    )
}
"""Of which one copy runs, and where the tier asks for two."""


def exceptions(tier: str) -> dict[str, Entry]:
    """By name, as `turnout:review.exceptions` has them."""
    parts = (_AGENTS, _SINGLE) if tier == "prod" else (_AGENTS,)
    return {name: entry | _UNTIL for part in parts for name, entry in part.items()}
