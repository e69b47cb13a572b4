"""What a plan puts at risk: facts about its objects, a level with its reasons, and what the settings ask for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from cli.engine.model import Operation, Plan
from cli.review import (
    capacity,
    data,
    downtime,
    effects,
    entries,
    facts,
    loosened,
    network,
    pods,
    retention,
    rights,
    rollback,
    running,
    world,
)
from cli.review.edges import edges
from cli.review.facts import Fact
from cli.review.model import Blast, Level, Reviewed
from cli.review.world import World

if TYPE_CHECKING:
    from cli.engine.graph import ResourceGraph
    from infra.model import Settings

_RULES: Final[tuple[Callable[[World], Iterable[Fact]], ...]] = (
    running.facts,
    downtime.facts,
    entries.facts,
    data.facts,
    retention.facts,
    capacity.facts,
    pods.facts,
    network.facts,
    rights.facts,
    rollback.facts,
)


def judge(
    plan: Plan,
    settings: Settings | None = None,
    graph: ResourceGraph | None = None,
    before: Settings | None = None,
) -> Reviewed:
    """The plan with its risk, and each change with its effects.

    `settings`, `graph`: of the environment after the change, `before`: its settings until then; None: not known.
    """
    there = world.build(plan, settings, graph)
    found = [fact for rule in _RULES for fact in rule(there)]
    found = [*running.unless_worse(found), *running.leftover(plan, found), *loosened.facts(before, settings)]
    given = facts.reasons(found, loosened.asked(before, settings))
    told = effects.told(plan, there, found)
    level = Level.worst(reason.level for reason in given)
    return Reviewed(told, level, given, _blast(plan, there, found), edges=edges(plan, graph))


def _blast(plan: Plan, there: World, found: list[Fact]) -> Blast:
    restarted = list(running.restarted(there))
    return Blast(
        pods_restarted=running.pods(there),
        every_node=world.names(one for one in restarted if one.kind == "DaemonSet"),
        services=running.services(there),
        replaced=_named(plan, Operation.REPLACE),
        deleted=_named(plan, Operation.DELETE),
        data_at_risk=facts.about(found, "data"),
        downtime=facts.about(found, "downtime"),
        security=facts.about(found, "security"),
        rollback=facts.about(found, "rollback"),
        capacity=capacity.amounts(there),
    )


def _named(plan: Plan, operation: Operation) -> tuple[str, ...]:
    return tuple(sorted(set(_names(plan, operation))))


def _names(plan: Plan, operation: Operation) -> Iterator[str]:
    """Configuration that is named by its content is no loss: the old one stays for as long as a release needs it."""
    for change in plan.changes:
        if change.operation is operation and not world.kept(change):
            yield f"{change.kind} {change.name}"
