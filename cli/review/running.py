"""Which pods a plan restarts or stops, and which Services notice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cli.engine.model import Operation, Plan
from cli.review.facts import Fact
from cli.review.objects import RUNNING, containers, key, mapping, rows, template
from cli.review.world import Touched, World, kept, renamed

_LASTS = ("CronJob", "Pod", *RUNNING)
_FOLLOWS = ("spec.template", "spec.selector")
_TELL_A_RESTART = frozenset({"only-copy", "all-at-once", "pauses-monitoring", "replaces-serving"})


def facts(there: World) -> Iterator[Fact]:
    for one in restarted(there):
        yield _restart(there, one)
    for one in there.touched:
        if one.kind == "Job" and (one.is_new or one.replaced):
            yield one.fact("runs-job", "runs once")
        if one.kind in _LASTS and one.deleted and not there.before.services(one.before):
            yield one.fact("stops", "is deleted, and what it did is done no more")
    yield from _budgets(there)
    yield from _unasked(there)


def restarted(there: World) -> Iterator[Touched]:
    """What gives its pods another template, or is made anew with them."""
    for one in there.of(*RUNNING):
        updated = one.change.operation is Operation.UPDATE and one.touches(*_FOLLOWS)
        if one.replaced or (updated and _restarts_by_itself(one)):
            yield one


def pods(there: World) -> int:
    """How many pods restart; those of agents on every node are not counted."""
    return sum(there.copies_before(one) for one in restarted(there))


def services(there: World) -> tuple[str, ...]:
    """The Services whose pods restart, whichever component they belong to."""
    found = {key(each).place for one in restarted(there) for each in there.after.services(one.after)}
    return tuple(sorted(found))


def _restart(there: World, one: Touched) -> Fact:
    if one.kind == "DaemonSet":
        return one.fact("restarts-every-node", "restarts on every node")
    if strategy := there.strategy(one):
        return one.fact("restarts-pods", f"gets new pods by a {strategy} rollout")
    return one.fact("restarts-pods", f"restarts its {_counted(there.copies_before(one))}")


def _counted(copies: int) -> str:
    return "only pod" if copies == 1 else f"{copies} pods"


def _restarts_by_itself(one: Touched) -> bool:
    on_delete = mapping(one.after, "spec", "updateStrategy").get("type") == "OnDelete"
    return not on_delete and mapping(one.after, "spec").get("paused") is not True


def _budgets(there: World) -> Iterator[Fact]:
    for one in there.of("PodDisruptionBudget"):
        if not one.deleted:
            continue
        for made in there.after.selected(one.before):
            if there.after.copies(made) > 1 and not there.after.budgets(made):
                said = "loses its disruption budget: a drain may take all its pods at once"
                yield Fact("loses-budget", str(key(made)), said, (one.urn,))


def _unasked(there: World) -> Iterator[Fact]:
    for one in there.of(*RUNNING):
        if not one.before or not one.after or not there.after.services(one.after):
            continue
        asked = {row.get("name") for row in containers(one.before) if row.get("readinessProbe")}
        for row in rows(mapping(template(one.after), "spec"), "containers"):
            if row.get("name") in asked and not row.get("readinessProbe"):
                yield one.fact("loses-readiness", f"loses the readiness probe of {row.get('name')}")


def unless_worse(found: Sequence[Fact]) -> Iterator[Fact]:
    """Without the plain restart of what is told to be gone while it restarts."""
    told = {urn for fact in found if fact.code in _TELL_A_RESTART for urn in fact.urns}
    return (fact for fact in found if fact.code != "restarts-pods" or not told.intersection(fact.urns))


def leftover(plan: Plan, told: Iterable[Fact]) -> Iterator[Fact]:
    """What goes or is made anew and that nothing worse is said of, and what only the apply can tell."""
    known = {urn for fact in told for urn in fact.urns}
    for change in plan.changes:
        about = f"{change.kind} {change.name}"
        if change.operation is Operation.DELETE and change.urn not in known:
            yield Fact("deletes", about, "is deleted", (change.urn,))
        if change.operation is Operation.REPLACE and change.urn not in known and not (renamed(change) or kept(change)):
            yield Fact("replaces", about, "is deleted and made anew", (change.urn,))
        if not change.certain:
            yield Fact("uncertain", about, "may change: only the apply can tell", (change.urn,))
