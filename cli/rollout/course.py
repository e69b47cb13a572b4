"""A rollout as a list of states to reach, computed before anything is touched. Pure.

Every step names a whole state, so that it may be done again. The copies that serve together are never fewer than they
were at the beginning, and an old track ends only after its rollout has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cli.rollout import shares
from cli.rollout.step import Copies, Step, Target

_EXACT = 0.05
"""Percent; nobody sees less."""

Calls = Mapping[str, Collection[str]]
"""Service to the services that it calls."""


def course(targets: Sequence[Target], calls: Calls, *, approval: bool = False) -> tuple[Step, ...]:
    """All steps, called services first. `approval`: a person is asked before the first one that moves traffic."""
    steps = [
        replace(step, stage=number) for number, stage in enumerate(stages(targets, calls)) for step in _stage(stage)
    ]
    everybody = tuple(sorted(target.service for target in targets))
    tracked = tuple(sorted(target.service for target in targets if _is_tracked(target)))
    last = steps[-1].stage + 1 if steps else 0
    steps += [Step("record", everybody, last), Step("serve", everybody, last)]
    if tracked:
        steps.append(Step("warm", tracked, last))
    return tuple(_approved(steps) if approval else steps)


def stages(targets: Iterable[Target], calls: Calls) -> list[tuple[Target, ...]]:
    """Who goes together: those that call only what went before, so that one apply brings as many as possible."""
    by_name = {target.service: target for target in targets}
    return [tuple(by_name[name] for name in level) for level in levels(by_name, calls)]


def levels(names: Collection[str], calls: Calls) -> list[tuple[str, ...]]:
    """The names in levels: each calls only those of earlier ones. A circle is entered at its first name."""
    left, found = set(names), []
    while left:
        free = [name for name in sorted(left) if not (set(calls.get(name, ())) & left) - {name}]
        level = tuple(free or [_entry(left, calls)])
        found.append(level)
        left -= set(level)
    return found


def rounding(step: Step, targets: Mapping[str, Target]) -> str:
    """What whole copies make of a wished share, in words; empty where it is exact."""
    if step.does != "route" or not 0 < step.share < 100:
        return ""
    return "; ".join(filter(None, (_rounded(step, targets[name]) for name in step.services)))


def share(step: Step, target: Target) -> float:
    """Percent of new connections that the target's new track really gets after a `route` step."""
    if step.share >= 100 or not step.share:
        return float(step.share)
    if weights := step.weights.get(target.service):
        return 100 * weights.get(target.new, 0) / max(1, sum(weights.values()))
    copies = step.copies.get(target.service, {})
    return 100 * copies.get(target.new, 0) / max(1, sum(copies.values()))


def _entry(left: Collection[str], calls: Calls) -> str:
    """The first name of a circle out of which nothing is called any more."""
    reach = {name: _reached(name, left, calls) for name in left}
    return min(name for name in left if all(name in reach[other] for other in reach[name]))


def _reached(name: str, left: Collection[str], calls: Calls) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        new = {called for called in calls.get(todo.pop(), ()) if called in left} - found
        found |= new
        todo += new
    return found


def _is_tracked(target: Target) -> bool:
    return target.strategy != "rolling"


def _stage(stage: tuple[Target, ...]) -> Iterator[Step]:
    """The pods of a rolling service are replaced by Kubernetes itself, while the stage is brought; new tracks come up
    beside the old ones, and get their traffic in rounds: blue/green all of it in the first one."""
    tracked = [target for target in stage if _is_tracked(target)]
    yield from _brought(stage, tracked)
    rolled = [target for target in stage if not _is_tracked(target)]
    before: Mapping[str, Copies] = {target.service: _start(target) for target in tracked}
    for number in range(max((len(_shares(target)) for target in tracked), default=1)):
        moving = [target for target in tracked if number < len(_shares(target))]
        after = {target.service: _copies(target, _shares(target)[number]) for target in moving}
        yield from _round(moving, number, before, after)
        yield from _watch([*moving, *([] if number else rolled)], number)
        before = {**before, **after}


def _brought(stage: Sequence[Target], tracked: Sequence[Target]) -> Iterator[Step]:
    """From the first step on the cursor says what may be written, so that no stale apply gets in between.

    A new track has no copies: what it ran before ends first, so that nobody is ever sent there.
    """
    yield Step("describe", _names(stage))
    if tracked:
        yield Step("cool", _names(tracked), copies={target.service: {target.new: 0} for target in tracked})
    yield Step("bring", _names(stage), share=100 if len(tracked) < len(stage) else 0)


def _round(
    moving: Sequence[Target], number: int, before: Mapping[str, Copies], after: Mapping[str, Copies]
) -> Iterator[Step]:
    """More copies first, then the traffic, and only then fewer copies of what lost some of it."""
    if not moving:
        return
    widest = {name: _most(before[name], copies) for name, copies in after.items()}
    yield Step("scale", _names(moving), copies=widest)
    yield Step("ready", _names(moving))
    if not number:
        yield Step("try", _names(moving))
    for wished in sorted({_shares(target)[number] for target in moving}):
        yield _routed([target for target in moving if _shares(target)[number] == wished], wished, after)
    if narrowed := {name: copies for name, copies in after.items() if copies != widest[name]}:
        yield Step("scale", tuple(narrowed), copies=narrowed)


def _routed(moving: Sequence[Target], wished: int, after: Mapping[str, Copies]) -> Step:
    weights = {target.service: _weights(target, wished) for target in moving if target.weighted}
    copies = {target.service: after[target.service] for target in moving}
    return Step("route", _names(moving), share=wished, copies=copies, weights=weights)


def _watch(watched: Sequence[Target], number: int) -> Iterator[Step]:
    if seconds := max((target.soak for target in watched), default=0.0):
        found = {100 if not _is_tracked(target) else _shares(target)[number] for target in watched}
        yield Step("watch", _names(watched), share=found.pop() if len(found) == 1 else 0, seconds=seconds)


def _shares(target: Target) -> tuple[int, ...]:
    """Percent after each round of a service with a new track."""
    return (*target.shares, 100) if target.strategy == "canary" else (100,)


def _start(target: Target) -> Copies:
    return {target.new: 0} if _old_is_free(target) else {target.old: target.copies, target.new: 0}


def _copies(target: Target, wished: int) -> Copies:
    """An autoscaler alone decides about the old track; with exact weights, or without any, it keeps all that it has."""
    if wished == 100:
        return {target.new: target.wanted}
    if target.weighted:
        return {target.new: shares.least(wished, target.wanted)}
    if target.bounds:
        return {target.new: shares.beside(wished, target.copies, target.wanted)}
    found = shares.split(wished, target.copies, target.wanted)
    return {target.old: found.old, target.new: found.new}


def _old_is_free(target: Target) -> bool:
    return target.weighted or bool(target.bounds)


def _weights(target: Target, wished: int) -> Copies:
    return {target.old: 100 - wished, target.new: wished}


def _most(before: Copies, after: Copies) -> Copies:
    return {letter: max(before.get(letter, 0), count) for letter, count in after.items()}


def _names(stage: Iterable[Target]) -> tuple[str, ...]:
    return tuple(target.service for target in stage)


def _approved(steps: list[Step]) -> list[Step]:
    """One question, before the first step that moves traffic: a new track can be looked at by then."""
    at = next((number for number, step in enumerate(steps) if _moves_traffic(step)), len(steps) - 1)
    return [*steps[:at], Step("approve", steps[at].services, steps[at].stage), *steps[at:]]


def _moves_traffic(step: Step) -> bool:
    return step.does in ("route", "record") or (step.does == "bring" and step.share > 0)


def _rounded(step: Step, target: Target) -> str:
    copies, real = step.copies[target.service], share(step, target)
    if target.weighted or (not target.bounds and abs(real - step.share) < _EXACT):
        return ""
    if target.bounds:
        return f"{target.service} by {copies[target.new]} new copies beside those that its autoscaler keeps"
    return f"{target.service} by copies {real:.0f} %: {copies[target.old]} old, {copies[target.new]} new"
