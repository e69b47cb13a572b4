"""A plan as a reviewer judges it: what it puts at risk, and which rules it breaks. Every output shows this and no more.

The plan itself is `cli.engine.model.Plan`; all texts are made for people and may hold names that others chose, so
each output escapes them in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli.engine.model import Plan

SCHEMA = 1


class Level(StrEnum):
    """How much a reviewer should care, least first."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Level).index(self)

    @classmethod
    def worst(cls, levels: Iterable[Level]) -> Level:
        """NONE of none."""
        return max(levels, key=lambda level: level.rank, default=cls.NONE)


@dataclass(frozen=True)
class Reason:
    """Why a plan has its risk. `code` is stable (`deletes-data`); `urns` are the changes that it speaks of.

    `approval`, `refused`: the environment's thresholds ask for an approval because of it, or do not let it be applied.
    """

    level: Level
    code: str
    text: str
    urns: tuple[str, ...] = ()
    approval: bool = False
    refused: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level.value,
            "code": self.code,
            "text": self.text,
            "urns": list(self.urns),
            "approval": self.approval,
            "refused": self.refused,
        }


@dataclass(frozen=True)
class Amount:
    """Of one resource before and after, in its base unit: cores, bytes, or a plain number."""

    before: float
    after: float

    def to_json(self) -> dict[str, float]:
        return {"before": self.before, "after": self.after}


@dataclass(frozen=True)
class Blast:
    """What an apply reaches. Names are `namespace/name`; `capacity` has `cpu requests`, `memory limits`, `pods`, ….

    `every_node`: agents that restart on each node, which `pods_restarted` cannot count. `data_at_risk`, `downtime`,
    `security` and `rollback` are sentences; no `rollback`: going back to the release before will be possible.
    """

    pods_restarted: int = 0
    every_node: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    data_at_risk: tuple[str, ...] = ()
    downtime: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    rollback: tuple[str, ...] = ()
    capacity: dict[str, Amount] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        lists = ("every_node", "services", "replaced", "deleted", "data_at_risk", "downtime", "security", "rollback")
        return {
            "pods_restarted": self.pods_restarted,
            **{name: list(getattr(self, name)) for name in lists},
            "capacity": {name: amount.to_json() for name, amount in self.capacity.items()},
        }


@dataclass(frozen=True)
class Finding:
    """One rule that an object breaks. `level`: advisory or mandatory at this tier; `excepted`: by whom, why, till when.

    `new`: the change under review brought it.
    """

    rule: str
    level: str
    where: str
    message: str
    remedy: str
    path: str = ""
    urn: str = ""
    excepted: str = ""
    new: bool = True

    @property
    def refuses(self) -> bool:
        """Whether an apply is refused because of it."""
        return self.level == "mandatory" and not self.excepted

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"refuses": self.refuses}


@dataclass(frozen=True)
class Reviewed:
    """One environment's plan with its judgement. `edges`: URN to the URNs that it depends on, changed ones and theirs.

    `failed`: why there is no plan (its settings are wrong, say); the plan is then empty.
    """

    plan: Plan
    risk: Level = Level.NONE
    reasons: tuple[Reason, ...] = ()
    blast: Blast = field(default_factory=Blast)
    findings: tuple[Finding, ...] = ()
    edges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failed: str = ""

    @property
    def refused(self) -> bool:
        """Whether an apply is refused: by a mandatory policy, or by a threshold of the settings."""
        return any(finding.refuses for finding in self.findings) or any(reason.refused for reason in self.reasons)

    @property
    def approvals(self) -> tuple[Reason, ...]:
        """The reasons for which somebody has to approve it first."""
        return tuple(reason for reason in self.reasons if reason.approval)

    def to_json(self) -> dict[str, Any]:
        return {
            **self.plan.to_json(),
            "risk": self.risk.value,
            "reasons": [reason.to_json() for reason in self.reasons],
            "blast": self.blast.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "edges": {urn: list(needed) for urn, needed in self.edges.items()},
            "failed": self.failed,
        }
