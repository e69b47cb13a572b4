"""What a change can put at risk: one code each, with its level. Pure, and loads without Pulumi.

`turnout:review.thresholds` speaks of these codes, a preview's reasons carry them, and docs/previews.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["low", "medium", "high", "critical"]
Topic = Literal["running", "downtime", "data", "capacity", "security", "rollback", "review"]

LEVELS: Final[tuple[Level, ...]] = ("low", "medium", "high", "critical")
"""Least first."""


@dataclass(frozen=True)
class Risk:
    """What a code stands for. `topic`: the part of the blast radius that it belongs to."""

    topic: Topic
    level: Level
    meaning: str


_RUNNING: Final[Mapping[str, Risk]] = {
    "deletes": Risk("running", "low", "objects go that neither serve nor hold data"),
    "replaces": Risk("running", "low", "objects are deleted and made anew that neither serve nor hold data"),
    "restarts-pods": Risk("running", "low", "pods are replaced by new ones while others serve"),
    "runs-job": Risk("running", "low", "a job runs once"),
    "closes-network": Risk("running", "medium", "a connection that was let through is refused"),
    "loses-budget": Risk("running", "medium", "nothing keeps a drain from taking all pods of a workload at once"),
    "loses-readiness": Risk("running", "medium", "pods get traffic without being asked whether they are ready"),
    "loses-rolling": Risk("running", "medium", "the next release will take all pods of a workload away at once"),
    "pauses-monitoring": Risk("running", "medium", "the monitoring sees nothing while its only copy restarts"),
    "restarts-every-node": Risk("running", "medium", "agents restart on every node"),
    "stops": Risk("running", "high", "work that nobody waits for, such as a queue's or a schedule's, is done no more"),
}

_DOWNTIME: Final[Mapping[str, Risk]] = {
    "all-at-once": Risk("downtime", "high", "every pod ends before the first new one starts"),
    "deletes-serving": Risk("downtime", "high", "something that serves is deleted"),
    "only-copy": Risk("downtime", "high", "the only copy restarts, and nothing answers meanwhile"),
    "port-gone": Risk("downtime", "high", "a port that callers use, or that a Service leads to, is there no more"),
    "replaces-serving": Risk("downtime", "high", "something that serves is deleted before it is made anew"),
    "route-gone": Risk("downtime", "high", "a host, path or address that callers outside use is served no more"),
    "scales-to-zero": Risk("downtime", "high", "no copy is left"),
    "serves-nothing": Risk("downtime", "critical", "a Service's selector finds no pods any more"),
}

_DATA: Final[Mapping[str, Risk]] = {
    "keeps-old-volumes": Risk("data", "medium", "claims that exist do not become what their template now asks for"),
    "orphans-data": Risk("data", "high", "volumes stay, and nothing uses them any more"),
    "reclaims-data": Risk("data", "high", "a volume that was kept is deleted with its claim from now on"),
    "shortens-retention": Risk("data", "high", "older metrics or logs are deleted"),
    "shrinks-volume": Risk("data", "high", "a volume is asked to shrink, which no API server lets it"),
    "deletes-data": Risk("data", "critical", "a volume, a database, a custom kind, or a namespace with all in it goes"),
    "replaces-data": Risk("data", "critical", "a volume is deleted and an empty one made in its place"),
}

_CAPACITY: Final[Mapping[str, Risk]] = {
    "less-cpu": Risk("capacity", "low", "a container gets less processor time"),
    "needs-more": Risk("capacity", "low", "the cluster has to find a fifth more cores or memory, or more"),
    "fewer-copies": Risk("capacity", "medium", "fewer copies share the same load"),
    "less-headroom": Risk("capacity", "medium", "an autoscaler may start fewer copies"),
    "less-memory": Risk("capacity", "medium", "a container is killed at less memory than before"),
}

_SECURITY: Final[Mapping[str, Risk]] = {
    "opens-between": Risk("security", "low", "some pods may reach, or be reached by, others or private addresses"),
    "adds-rights": Risk("security", "medium", "a new role in the cluster's own access control"),
    "changes-admission": Risk("security", "medium", "an admission policy asks for something else"),
    "loosens-pod": Risk("security", "medium", "a writable root, or no seccomp profile"),
    "mounts-token": Risk("security", "medium", "pods get a token for the API server"),
    "reaches-out": Risk("security", "medium", "pods may reach an address of the internet"),
    "secret-in-env": Risk("security", "medium", "a secret is in a variable, which crash logs and child processes show"),
    "unpinned-image": Risk("security", "medium", "an image is named by a tag that can be moved, no longer by digest"),
    "adds-capability": Risk("security", "high", "a container gets a Linux capability"),
    "escalates": Risk("security", "high", "a process may get more privileges than its parent"),
    "exposes": Risk("security", "high", "a Service is reached from outside the cluster"),
    "grants-role": Risk("security", "high", "somebody is given a role"),
    "host-access": Risk("security", "high", "pods see their node: its network, processes, ports or files"),
    "loses-tls": Risk("security", "high", "a host is served without TLS"),
    "opens-network": Risk(
        "security", "high", "pods are reached from the internet or by every pod, or nothing restricts them"
    ),
    "public-route": Risk("security", "high", "a host or path is served to the outside"),
    "runs-as-root": Risk("security", "high", "nothing keeps a container from running as root"),
    "uncovers-secret": Risk("security", "high", "a value that was secret is in plain text"),
    "widens-role": Risk("security", "high", "a role may do more than before"),
    "any-right": Risk("security", "critical", "a wildcard, cluster-admin, or the right to give oneself rights"),
    "loosens-namespace": Risk("security", "critical", "a namespace lets in pods that Pod Security kept out"),
    "privileged": Risk("security", "critical", "a container is as powerful as its node"),
    "weakens-admission": Risk("security", "critical", "an admission policy refuses less, or is gone"),
}

_ROLLBACK: Final[Mapping[str, Risk]] = {
    "no-way-back": Risk("rollback", "high", "a rollback cannot bring back what was before"),
}

_REVIEW: Final[Mapping[str, Risk]] = {
    "uncertain": Risk("review", "low", "only the apply can tell whether a change happens"),
    "loosens-review": Risk("review", "high", "the change also takes away what it would have been asked for"),
}

RISKS: Final[Mapping[str, Risk]] = {
    **_DOWNTIME,
    **_DATA,
    **_SECURITY,
    **_ROLLBACK,
    **_RUNNING,
    **_CAPACITY,
    **_REVIEW,
}
"""Code to what it means. Codes are stable: settings and scripts name them."""
