"""What the policies say about an environment: over a render, or over what a plan declares. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from cli.review.model import Finding

if TYPE_CHECKING:
    from cli.engine.graph import JSON, ResourceGraph
    from cli.engine.model import Plan
    from infra.model import Settings
    from infra.policies import Broken, Judgement


def of_plan(
    plan: Plan,
    settings: Settings | None,
    graph: ResourceGraph | None = None,
    base: ResourceGraph | None = None,
    *,
    today: date | None = None,
) -> tuple[Finding, ...]:
    """The findings after the change, each told whether the change brings it. `graph`, `base`: where they are known.

    Without settings nobody knows the tier, and nothing is judged.
    """
    if settings is None:
        return ()
    after = objects(graph) if graph is not None else declared(plan)
    before = objects(base) if base is not None else undone(plan, after)
    return compared(after, before, settings, today=today)


def compared(
    after: Mapping[str, JSON], before: Mapping[str, JSON] | None, settings: Settings, *, today: date | None = None
) -> tuple[Finding, ...]:
    """Findings over objects by URN. What was so before is not new; where nobody knows what was before, all are."""
    from infra import policed

    day = today or policed.now()
    known = keys(policed.judgement(before.values(), settings, day)) if before is not None else set()
    judged = policed.judgement(after.values(), settings, day)
    return tuple(told(judged, after, known))


def told(judged: Judgement, objects: Mapping[str, JSON], known: Iterable[object] = ()) -> Iterator[Finding]:
    """A judgement as findings. `known`: what was so before."""
    urns = {place: urn for urn, made in objects.items() if (place := _place(made))}
    seen = set(known)
    for each in judged.broken:
        yield Finding(
            rule=each.rule,
            level=each.level,
            where=each.where,
            message=each.message,
            remedy=each.remedy,
            path=each.path,
            urn=urns.get(each.where, ""),
            excepted=each.excepted,
            new=_key(each) not in seen,
        )


def keys(judged: Judgement) -> set[tuple[str, str, str]]:
    """What tells its findings from others, for as long as they are the same."""
    return set(map(_key, judged.broken))


def objects(graph: ResourceGraph) -> dict[str, JSON]:
    """The Kubernetes objects of a render, by URN."""
    return {resource.urn: resource.inputs for resource in graph if resource.is_kubernetes}


def declared(plan: Plan) -> dict[str, JSON]:
    """Those that a plan's program asks for. URNs are known of what changes; the others count."""
    from infra.policies.world import World

    changing = {_place(change.after): change.urn for change in plan.changes if change.after}
    return {changing.get(each.place, each.place): each.made for each in World(plan.declared).everything()}


def undone(plan: Plan, after: Mapping[str, JSON]) -> dict[str, JSON]:
    """What was there before the plan's changes."""
    changing = {change.urn for change in plan.changes}
    unchanged = {urn: made for urn, made in after.items() if urn not in changing}
    return unchanged | {change.urn: change.before for change in plan.changes if change.before}


def _place(made: JSON) -> str:
    from infra.policies.world import World

    return next((each.place for each in World([made]).everything()), "")


def _key(broken: Broken) -> tuple[str, str, str]:
    return broken.rule, broken.where, broken.message
