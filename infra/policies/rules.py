"""The pack: every rule, in the order of the pages and reports. Pure."""

from __future__ import annotations

from typing import Final

from infra.policies import access, availability, containers, isolation, network, order, secrets
from infra.policies.rule import Rule

GROUPS: Final[dict[str, tuple[Rule, ...]]] = {
    "Pod Security, restricted": isolation.RULES,
    "Containers": containers.RULES,
    "Availability and data": availability.RULES,
    "Access": access.RULES,
    "Secrets": secrets.RULES,
    "Network": network.RULES,
    "Order": order.RULES,
}
RULES: Final[tuple[Rule, ...]] = tuple(rule for group in GROUPS.values() for rule in group)
BY_ID: Final[dict[str, Rule]] = {rule.id: rule for rule in RULES}
