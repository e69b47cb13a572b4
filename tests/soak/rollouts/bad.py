"""Releases that start well and turn bad after 20 s: whether gates notice, how soon, and how many requests met them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from cli.gates.statistics import binomial_tail
from cli.rollout import opened
from tests.soak.rollouts.drive import settle
from tests.soak.rollouts.place import SERVICE, THIRD, Place, Ran, Shape

PODS: Final = 10
WEIGHT: Final = 0.1
"""One pod of ten."""
TURNS_AFTER: Final = 20.0
BOUND: Final = 0.001
WORK: Final = (("WORK_SECONDS", "0.03"),)
"""What an answer takes; one that takes five times as long is then told from noise."""
WATCHED: Final = 90
"""Seconds that the step is watched: far longer than the release stays good."""

GATED: Final = Shape(strategy="canary", replicas=PODS, steps=(10,), soak=WATCHED, env=WORK, gates=True)
VARIANTS: Final = ("errors", "slow")


@dataclass(frozen=True)
class Met:
    """Requests sent while the bad release answered any, and how many of them met it.

    `first`, `last`: when it began to answer, and the last time that it answered a new connection: those that are kept
    alive stay with a pod until it has drained.
    """

    requests: int
    affected: int
    first: float
    last: float

    @property
    def share(self) -> float:
        return self.affected / max(1, self.requests)

    @property
    def bounded(self) -> bool:
        """Within what chance makes of the weight, in 999 of 1,000 runs."""
        return binomial_tail(self.affected, self.requests, WEIGHT) >= BOUND


@dataclass(frozen=True)
class Caught:
    """One bad release. `noticed`: seconds from its first bad moment until nobody new met it any more."""

    variant: str
    ran: Ran
    met: Met
    noticed: float
    counted: dict[str, Any]
    answers: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"variant": self.variant, **asdict(self.met), "noticed_seconds": round(self.noticed, 1)}


def caught(place: Place, variant: str, tell: Callable[[str], None]) -> Caught:
    """Roll the variant out as a canary under load; it has to be rolled back (exit 6), else Unexpected is raised."""
    version = f"{THIRD}-{variant}"
    place.describe(replace(GATED, version=version))
    with place.load(variant) as load:
        ran = place.turnout("rollout", "start", place.environment, "--yes", "--reason", variant, expect=6)
    counted = load.counted
    found = met(counted, version)
    errors = [failure["at"] for failure in counted["failures"] if failure["outcome"] == "status 500"]
    turned = errors[0] if errors else found.first + TURNS_AFTER
    one = Caught(variant, ran, found, found.last - turned, counted, answers(place))
    tell(f"{version}: noticed after {one.noticed:.1f} s, {found.affected} of {found.requests} requests met it")
    settle(place, GATED)
    place.turnout("unpin", place.environment)
    return one


def met(counted: dict[str, Any], version: str) -> Met:
    """From what was counted second by second: answers of the version, and failures, are what met it."""
    first = next((row["at"] for row in counted["timeline"] if row.get(version)), None)
    if first is None:
        return Met(0, 0, 0.0, 0.0)
    later = (row for row in counted["timeline"] if row["at"] >= first)
    last = max(row["at"] for row in later if row.get(version) or row.get("failed"))
    span = [row for row in counted["timeline"] if first <= row["at"] <= last]
    total = sum(count for row in span for key, count in row.items() if key != "at")
    affected = sum(row.get(version, 0) + row.get("failed", 0) for row in span)
    new = [until for served, _, until, _ in counted["new_connections"] if served == version]
    return Met(total, affected, first, max(new, default=last))


def answers(place: Place) -> dict[str, Any]:
    """What the gates said last, for each step."""
    rollout = opened.read(place.kube, place.environment)
    return dict(json.loads(json.dumps(rollout.answers))) if rollout else {}


def of_traffic(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of gates that need requests to say anything."""
    rows = [row for step in found.values() for row in step]
    return [row for row in rows if row["service"] == SERVICE and row["gate"] in ("http-availability", "p95")]
