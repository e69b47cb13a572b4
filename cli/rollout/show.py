"""What rollback and rollout say to people, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from cli.rollout.book import Release
from cli.rollout.plan import Action, Rollback
from cli.rollout.rollback import Done

_VERBS = {"create": "create again", "apply": "restore", "stop": "stop", "remove": "remove"}
_FIELDS = 6


def plan(wanted: Rollback) -> Iterator[str]:
    """What a rollback will change."""
    yield f"{wanted.environment}: {_from(wanted)} → the content of {_release(wanted.target)}"
    if not wanted.actions:
        yield "  nothing differs in the cluster"
    for action in wanted.actions:
        yield from _action(action)


def done(environment: str, ended: Done) -> Iterator[str]:
    """How a rollback ended."""
    release = ended.release
    restored = f" with the content of {release.restores}" if release.restores else ""
    yield f"{environment} serves release {release.number}{restored} ({ended.seconds:.1f} s, {ended.applied} objects)"
    if ended.owed:
        yield f"the Pulumi state is not settled yet ({ended.owed}); turnout repair {environment} settles it"
    yield f"next: put the settings back, then turnout preview {environment}"


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
