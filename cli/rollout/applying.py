"""What `turnout up` may do by itself, and what it leaves to a rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import UsageError
from cli.rollout import opened
from cli.rollout.changed import created, templates

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.kube.client import Kube
    from components.app.settings import AppSettings
    from infra.settings import Settings


def must_not_be_open(kube: Kube, environment: str) -> None:
    """Raises Locked (exit 5) while a rollout is open: it alone then changes the environment."""
    if found := opened.under_way(kube, environment):
        raise opened.is_open(kube, environment, found)


def may_need_a_rollout(app: AppSettings) -> bool:
    """Whether any service has a strategy other than rolling."""
    return any(part.rollout.two_tracks for part in app.services.values())


def must_be_no_rollout(plan: Plan, settings: Settings, agreed: str = "") -> None:
    """Raises UsageError (exit 2) where the plan gives a blue/green or canary service a new release.

    `agreed`: the option that names a saved plan, for the command to run instead.
    """
    moved = of_rollouts(plan, settings)
    if not moved:
        return
    environment = settings.environment
    who = ", ".join(f"{name} ({strategy})" for name, strategy in moved.items())
    raise UsageError(
        f"{environment} needs a rollout; nothing was touched",
        why=f"the release of {who} would change",
        next=f"turnout rollout start {environment}{agreed}; or in place: turnout up {environment}{agreed} --in-place",
    )


def of_rollouts(plan: Plan, settings: Settings) -> dict[str, str]:
    """The services that get a new release and have two tracks, each with its strategy."""
    services, new = settings.app.services, created(plan)
    return {
        name: services[name].rollout.strategy
        for name in sorted(templates(plan))
        if name in services and name not in new and services[name].rollout.two_tracks
    }
