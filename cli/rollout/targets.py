"""What a rollout moves, and how: from the plan, the settings, the cursor, and what runs now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.rollout.control import Manifest
from cli.rollout.cursor import Cursor
from cli.rollout.step import Step, Strategy, Target
from components.names import APP, COMPONENT, ENVIRONMENT

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from components.app.settings import AppSettings, ServiceSettings
    from infra.settings import Settings


@dataclass(frozen=True)
class Wish:
    """How somebody wants it this time: another strategy than the settings', for these services or (empty) for all."""

    strategy: Strategy | None = None
    services: tuple[str, ...] = ()

    def strategy_of(self, name: str, part: ServiceSettings) -> Strategy:
        meant = not self.services or name in self.services
        return self.strategy if self.strategy and meant else part.rollout.strategy


def targets(
    settings: Settings,
    cursor: Cursor,
    templates: Mapping[str, str],
    copies: Mapping[str, int],
    wish: Wish,
) -> tuple[Target, ...]:
    """One for each service with a new template. `copies`: object (`api-a`) to replicas, of what is there now."""
    services = settings.app.services
    rows = ((name, services[name]) for name in sorted(templates) if name in services)
    return tuple(_target(name, part, cursor, templates[name], copies, wish) for name, part in rows)


def calls(app: AppSettings) -> dict[str, tuple[str, ...]]:
    """Service to the services that it calls."""
    return {name: tuple(set(part.calls) & set(app.services)) for name, part in app.services.items()}


def held(app: AppSettings, step: Step) -> set[str]:
    """The app's parts that stay as they are while a stage is brought. Jobs that come before a release do run."""
    waiting = {name for name, job in app.jobs.items() if job.schedule or job.when == "after"}
    return {*app.services, *app.workers, *waiting} - set(step.services)


def copies(kube: Kube, environment: str) -> dict[str, int]:
    """How many pods each Deployment of the app is to have."""
    return {row["metadata"]["name"]: row["spec"].get("replicas", 1) for row in deployments(kube, environment)}


def deployments(kube: Kube, environment: str) -> list[Manifest]:
    selector = f"{ENVIRONMENT}={environment},{COMPONENT}={APP}"
    found = kube.list("apps/v1", "Deployment", environment, labels=selector)
    return [{"apiVersion": "apps/v1", "kind": "Deployment", **row} for row in found]


def with_ready(found: Iterable[Manifest]) -> set[str]:
    """The names of those that have a ready pod."""
    return {row["metadata"]["name"] for row in found if (row.get("status") or {}).get("readyReplicas")}


def named(found: Iterable[Manifest], names: Collection[str]) -> dict[str, Manifest]:
    """Those objects by name that have one of the names."""
    return {row["metadata"]["name"]: row for row in found if row["metadata"]["name"] in names}


def _target(
    name: str, part: ServiceSettings, cursor: Cursor, template: str, copies: Mapping[str, int], wish: Wish
) -> Target:
    place, rollout = cursor.of(name), part.rollout
    now = copies.get(f"{name}-{place.serving}")
    strategy: Strategy = wish.strategy_of(name, part) if now is not None else "rolling"
    if strategy == "canary" and not now:
        strategy = "blue-green"  # with nobody to share with, and what a rollback stopped may be pinned out
    return Target(
        service=name,
        strategy=strategy,
        old=place.serving,
        two=place.two,
        template=template,
        copies=now or 1,
        wanted=_wanted(part, now or 1),
        bounds=(part.autoscale.minimum, part.autoscale.maximum) if part.autoscale else (),
        shares=rollout.steps if strategy == "canary" else (),
        soak=float(rollout.soak),
        warm=float(rollout.warm),
        weighted=part.route is not None and strategy != "rolling",
        preview=rollout.preview or part.ready,
    )


def _wanted(part: ServiceSettings, now: int) -> int:
    if part.autoscale is None:
        return part.replicas
    return min(max(now, part.autoscale.minimum), part.autoscale.maximum)
