"""Policies over Kubernetes objects: rules with their reasons, levels by tier, and exceptions that end. Pure.

`judge` asks every rule of what one environment declares. Nothing here knows Pulumi or the command; the pack for plain
Pulumi is `infra/policies/pack`.
"""

from infra.policies.exceptions import Exempted
from infra.policies.judging import EXPIRED, UNUSED, Broken, Judgement, Tally, judge, levels
from infra.policies.rule import Level, Levels, Rule, Supports
from infra.policies.rules import BY_ID, GROUPS, RULES

__all__ = [
    "BY_ID",
    "EXPIRED",
    "GROUPS",
    "RULES",
    "UNUSED",
    "Broken",
    "Exempted",
    "Judgement",
    "Level",
    "Levels",
    "Rule",
    "Supports",
    "Tally",
    "judge",
    "levels",
]
