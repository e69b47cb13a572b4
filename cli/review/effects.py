"""What each change of a plan means for what is running, told beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from cli.engine.model import Change, Effect, Plan
from cli.review import running
from cli.review.facts import Fact
from cli.review.model import Level
from cli.review.objects import COUNTED
from cli.review.world import Touched, World
from infra.risks import RISKS, Topic

_OF_TOPICS: Final[Mapping[Topic, Effect]] = {"downtime": Effect.DOWNTIME, "data": Effect.DATA_AT_RISK}
_STOPPING: Final = frozenset({"stops", "deletes-serving", "scales-to-zero", "serves-nothing"})
_SCALERS: Final = ("spec.minReplicas", "spec.maxReplicas")


def told(plan: Plan, there: World, facts: Iterable[Fact]) -> Plan:
    """The plan with the effects of its changes, each in the order of `Effect`."""
    found: dict[str, set[Effect]] = {}
    for one in running.restarted(there):
        found.setdefault(one.urn, set()).add(Effect.RESTARTS_PODS)
    for one in there.touched:
        if _scales(there, one):
            found.setdefault(one.urn, set()).add(Effect.SCALES)
    for fact in facts:
        for urn in fact.urns:
            found.setdefault(urn, set()).update(_of(fact))
    return replace(plan, changes=tuple(_with(change, found.get(change.urn, set())) for change in plan.changes))


def _with(change: Change, found: set[Effect]) -> Change:
    return replace(change, effects=tuple(effect for effect in Effect if effect in found))


def _of(fact: Fact) -> set[Effect]:
    risk = RISKS[fact.code]
    topical = _OF_TOPICS.get(risk.topic) if Level(risk.level).rank >= Level.HIGH.rank else None
    stopping = {Effect.STOPS} if fact.code in _STOPPING else set()
    return stopping | ({topical} if topical else set())


def _scales(there: World, one: Touched) -> bool:
    if not (one.before and one.after):
        return False
    if one.kind == "HorizontalPodAutoscaler":
        return one.touches(*_SCALERS)
    return one.kind in COUNTED and there.copies_before(one) != there.after.copies(one.after)
