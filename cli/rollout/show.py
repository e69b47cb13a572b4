"""What rollback and rollout say to people, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.rollout import course, goal, wording
from cli.rollout.book import Release
from cli.rollout.goal import Rollback
from cli.rollout.going import Done
from cli.rollout.plan import Action
from cli.rollout.turns import Turn

if TYPE_CHECKING:
    from cli.kube.config import Endpoint
    from cli.rollout.starting import Prepared

_VERBS = {"create": "create again", "apply": "restore", "stop": "stop", "remove": "remove"}
_FIELDS = 6


def plan(wanted: Rollback, where: Endpoint) -> Iterator[str]:
    """What a rollback will change, and in which cluster."""
    yield f"{wanted.environment} ({where.named}): {_from(wanted)} → the content of {_release(wanted.target)}"
    if wanted.nothing:
        yield "  nothing differs in the cluster"
    for turn in wanted.moving:
        yield f"  {_turned(turn)}"
    for action in wanted.actions:
        yield from _action(action)


def warnings(wanted: Rollback) -> Iterator[str]:
    """What somebody should know before saying yes."""
    for name in wanted.rotated:
        yield f"Secret {name}: it was changed since; what it opens may have been locked"
    yield from map(goal.unreached, wanted.unled)
    for step in wanted.crossed:
        yield goal.lasts(step)


def done(environment: str, ended: Done) -> Iterator[str]:
    """How a rollback ended."""
    release = ended.release
    if ended.alone:
        yield from _alone(environment, ended)
        return
    restored = f" with the content of {release.restores}" if release.restores else ""
    yield f"{environment} serves release {release.number}{restored} ({ended.seconds:.1f} s, {ended.applied} objects)"
    for pin in ended.pins:
        yield f"{pin}"
    if ended.owed:
        yield f"the Pulumi state is not settled yet ({ended.owed}); turnout repair {environment} settles it"
    unpin = f"; to let it in again: turnout unpin {environment} {ended.pins[0].number}" if ended.pins else ""
    yield f"next: put the settings back, then turnout preview {environment}{unpin}"


def _alone(environment: str, ended: Done) -> Iterator[str]:
    """Some services are back, and the change that did not end well is not over."""
    yield f"{', '.join(ended.alone)} of {environment}: back ({ended.seconds:.1f} s, {ended.applied} objects)"
    yield from map(str, ended.pins)
    yield f"the change that did not end well is still open: turnout rollback {environment} takes back all the rest"


def _turned(turn: Turn) -> str:
    if not turn.flips:
        return f"keep the traffic of {turn.service} on track {turn.to}"
    how = f"{turn.ready} copies are ready" if turn.warm else "once it is ready"
    ends = f", and track {turn.away} ends" if turn.other else ""
    return f"send the traffic of {turn.service} to track {turn.to} ({how}){ends}"


def steps(prepared: Prepared) -> Iterator[str]:
    """The course of a rollout, one line a step, with what rounding makes of a share."""
    by_name = {target.service: target for target in prepared.targets}
    for number, step in enumerate(prepared.course, 1):
        rounded = course.rounding(step, by_name)
        yield f"  {number:>3}. {wording.said(step)}" + (f" ({rounded})" if rounded else "")


def _from(wanted: Rollback) -> str:
    if wanted.half_done:
        return "a change that did not end well"
    return f"release {wanted.current.number}" if wanted.current else "what runs"


def _release(release: Release) -> str:
    notes = ", ".join(
        note for note in (release.at[:19].replace("T", " "), release.git, release.who, release.why) if note
    )
    return f"release {release.number} ({notes})"


def _action(action: Action) -> Iterator[str]:
    yield f"  {_VERBS[action.verb]} {action.title}"
    for row in action.differences[:_FIELDS]:
        yield f"      {row}"
    if (more := len(action.differences) - _FIELDS) > 0:
        yield f"      and {more} more fields"
