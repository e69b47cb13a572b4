"""Asks whoever drives a rollout to pause, to go on, or to advance; from any terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from cli.errors import UsageError
from cli.rollout import audit, identity, lock, opened
from cli.rollout.opened import NO_STEP, Asked, Rollout

if TYPE_CHECKING:
    from cli.kube.client import Kube

What = Literal["pause", "resume", "advance"]

_DONE = {"pause": "stops after the step under way", "resume": "goes on", "advance": "goes on at once"}


def ask(kube: Kube, environment: str, what: What) -> str:
    """What was said to the driver of the open rollout; empty where there is none, or nobody drives it.

    Whoever holds the lock for something else is not asked; who wants to go on is told of them by the lock.
    Raises UsageError where the rollout is on its way back.
    """
    found = opened.under_way(kube, environment)
    if found is None:
        return ""
    opened.must_go_on(kube, environment, found)
    owner = lock.living(kube, environment)
    if owner is None or not owner.drives:
        return ""
    then = _done(_write(kube, environment, found, what), what)
    return f"{environment}: {owner.who} on {owner.host} drives the rollout and was asked: it {then}"


def must_ask(kube: Kube, environment: str, what: What) -> str:
    """The same, also where nobody drives it: whoever does next will heed it. Raises UsageError where none is open."""
    if said := ask(kube, environment, what):
        return said
    found = opened.under_way(kube, environment)
    if found is None:
        raise UsageError(f"no rollout of {environment} is open", next=f"turnout rollout start {environment}")
    _write(kube, environment, found, what)
    return f"{environment}: nobody drives the rollout; next: turnout rollout resume {environment}"


def _write(kube: Kube, environment: str, found: Rollout, what: What) -> Rollout:
    who = f"{identity.username(kube)} ({lock.local_user()})"
    asked = opened.change(kube, environment, found.id, lambda now: replace(now, asked=_asked(now, what, who)))
    audit.write(kube, environment, audit.entry(kube, f"turnout rollout {what} {environment}", outcome="asked"))
    return asked


def _asked(now: Rollout, what: What, who: str) -> Asked:
    """An advance is for the soak that somebody sees: by the time that it is heeded another one may have begun."""
    return Asked(what, who, now.at if what == "advance" and now.soaks else NO_STEP)


def _done(asked: Rollout, what: What) -> str:
    if what == "advance" and not asked.soaks and asked.status != "paused":
        return "has no soak or pause to skip now"
    return _DONE[what]
