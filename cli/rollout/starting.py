"""Begins a rollout, or goes on with one that another process left: what is asked and checked before the first step."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import Interrupted, UsageError
from cli.review import policing
from cli.rollout import (
    applying,
    approvals,
    consent,
    counts,
    cursor,
    debts,
    identity,
    letting,
    lock,
    notify,
    opened,
    releases,
    reviewing,
    targets,
    viewing,
    warmth,
)
from cli.rollout.changed import irreversible, templates
from cli.rollout.control import moment, stamp
from cli.rollout.course import course
from cli.rollout.drive import Rolled, drive
from cli.rollout.entries import find
from cli.rollout.opened import Rollout
from cli.rollout.probing import Probe
from cli.rollout.step import Step, Target
from cli.rollout.targets import Wish

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.plans.binding import Bound
    from cli.review.model import Reviewed
    from cli.rollout.counts import Count
    from cli.rollout.entries import Entry
    from cli.rollout.site import Site


@dataclass(frozen=True)
class Prepared:
    """What a rollout will do, before anything is touched. `counts`: copies of services whose release stays."""

    plan: Plan
    targets: tuple[Target, ...] = ()
    course: tuple[Step, ...] = ()
    counts: tuple[Count, ...] = ()

    @property
    def empty(self) -> bool:
        return self.plan.empty


@dataclass(frozen=True)
class Start:
    """How it was asked for. `agree` is shown what is prepared; nothing is touched when it says no.

    `plan`: what was agreed to beforehand, and must be what would be done now.
    """

    command: str
    reason: str = ""
    wish: Wish = field(default_factory=Wish)
    probe: bool = False
    probe_url: str = ""
    detach: bool = False
    agree: Callable[[Prepared, Reviewed], bool] | None = None
    plan: Bound | None = None


def start(site: Site, order: Start) -> Rolled:
    """Roll to the release that the settings describe. Raises RolledBack (exit 6) or RollbackFailed (exit 7)."""
    kube, environment = site.kube, site.environment
    applying.must_not_be_open(kube, environment)
    letting.must_be_let_in(kube, environment, site.engine.root, order.command)
    debts.settle_owed(kube, environment, site.engine.root, site.progress)
    site.held.phase("planning")
    prepared = prepare(site, order.wish)
    policing.plan_must_hold(site.engine.root, prepared.plan, site.settings)
    if order.plan is not None:
        order.plan.must_equal(kube, prepared.plan)
    reviewed = reviewing.judged(prepared.plan, site.settings)
    if prepared.empty and releases.load(kube, environment).open is None:
        warmth.cool(kube, environment, site.held)
        return Rolled(None, 0, prepared.plan.seconds)
    if order.agree is not None and not prepared.empty and not order.agree(prepared, reviewed):
        raise Interrupted(f"{environment} was not touched")
    reviewing.must_pass(kube, site.engine.root, reviewed, order.command)
    with _probe(_entries(site, order, prepared.targets)) as probe:
        warmth.cool(kube, environment, site.held)
        made = opened.begin(kube, environment, _new(site, order, prepared))
        approvals.prune(kube, environment, keep=made.id)
        consent.forget(kube, environment)
        said = f"{made.starter} rolls out {environment}: {order.reason or 'no reason given'}"
        notify.send(kube, environment, "start", said)
        counts.change(kube, environment, site.held, prepared.counts)
        with viewing.live(kube, environment, site.progress):
            return drive(site, made, order.command, probe=probe, detach=order.detach)


def resume(site: Site, command: str, *, detach: bool = False) -> Rolled:
    """Go on with the rollout that is open.

    Raises UsageError where it is on its way back, or this checkout is another release's.
    """
    kube, environment = site.kube, site.environment
    found = opened.under_way(kube, environment)
    if found is None:
        raise UsageError(f"no rollout of {environment} is open", next=f"turnout rollout start {environment}")
    opened.must_go_on(kube, environment, found)
    must_be_the_same(site.engine.root, environment, found)
    with _probe(_probed(site, found) if found.options.get("probe") else []) as probe:
        who = f"{identity.username(kube)} goes on with it on {lock.local_user()}"
        made = site.change(found.id, lambda now: now.said(who))
        with viewing.live(kube, environment, site.progress):
            return drive(site, made, command, probe=probe, detach=detach)


def prepare(site: Site, wish: Wish) -> Prepared:
    """The plan of the engine, and what follows from it for the services whose pods will be others."""
    kube, environment, settings = site.kube, site.environment, site.settings
    site.show_engine()
    found = counts.look(kube, environment, settings.app)
    plan = counts.told(site.engine.preview(), found)
    changed = templates(plan)
    known = releases.load(kube, environment).current
    moved: Sequence[Target] = ()
    if known is not None:
        now = targets.copies(kube, environment)
        moved = targets.targets(settings, cursor.read(kube, environment), changed, now, wish)
    steps = course(moved, targets.calls(settings.app), approval=settings.rollout.approval and known is not None)
    return Prepared(plan, tuple(moved), steps, tuple(one for one in found if one.service not in changed))


def must_be_the_same(root: Path, environment: str, found: Rollout) -> None:
    """Raises UsageError where the checkout is not the one that the rollout began with."""
    again = f"turnout rollout resume {environment}"
    commit = releases.commit(root)
    if found.git and commit != found.git:
        raise UsageError(
            f"the rollout of {environment} is one of commit {found.git}",
            why=f"this checkout is at {commit or 'no commit'}; going on from it would mix two releases",
            next=f"git checkout {found.git.removesuffix('-dirty')}, then {again}; or {_abort(environment)}",
        )
    if found.options.get("settings") not in (None, digest(root, environment)):
        raise UsageError(
            f"Pulumi.{environment}.yaml is not what the rollout of {environment} began with",
            why="going on with other settings would mix two releases",
            next=f"put the file back, then {again}; or {_abort(environment)}",
        )


def digest(root: Path, environment: str) -> str:
    """What stands for the content of the settings file."""
    return hashlib.sha256((root / f"Pulumi.{environment}.yaml").read_bytes()).hexdigest()[:12]


def _abort(environment: str) -> str:
    return f"turnout rollout abort {environment}"


def _new(site: Site, order: Start, prepared: Prepared) -> Rollout:
    kube, environment, root = site.kube, site.environment, site.engine.root
    serving = releases.load(kube, environment).current
    began = moment(identity.server_time(kube))
    options: dict[str, Any] = {"settings": digest(root, environment)}
    if jobs := irreversible(prepared.plan, site.settings.app):
        options["irreversible"] = jobs
    if order.probe:
        options |= {"probe": True, "probe_url": order.probe_url}
    return Rollout(
        id=f"{began:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        starter=identity.username(kube),
        host=lock.local_user(),
        began=stamp(began),
        reason=order.reason,
        git=releases.commit(root),
        record=serving.record if serving else "",
        to=prepared.targets,
        course=prepared.course,
        options=options,
    )


def _probe(entries: Sequence[Entry]) -> AbstractContextManager[Probe | None]:
    """It starts, and must be answered, before anything is touched."""
    return Probe(entries) if entries else nullcontext(None)


def _entries(site: Site, order: Start, moved: Sequence[Target]) -> list[Entry]:
    if not order.probe:
        return []
    return _found(site, [target.service for target in moved] or list(site.settings.app.services), order.probe_url)


def _probed(site: Site, found: Rollout) -> list[Entry]:
    services = [target.service for target in found.to] or list(site.settings.app.services)
    return _found(site, services, str(found.options.get("probe_url", "")))


def _found(site: Site, services: Sequence[str], url: str) -> list[Entry]:
    return find(site.kube, site.environment, services, sandbox=bool(site.settings.cluster.sandbox), url=url)
