"""Makes a saved plan of a preview: the changes, how they were judged, and all that they are bound to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.engine.model import Mode
from cli.errors import UsageError
from cli.plans import binding, files, objects, world
from cli.plans.saved import Saved, World
from cli.report import masking
from cli.review import scope

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.review.asked import Asked
    from cli.review.model import Reviewed


@dataclass(frozen=True)
class Order:
    """Where a plan is to be saved, and for how long it may be applied."""

    file: Path
    environment: str
    lasts: timedelta
    targets: tuple[str, ...] = ()


def order(file: Path, root: Path, asked: Asked, expires: str) -> Order:
    """What was asked for. Raises UsageError for several environments, another mode than live, or what is no time."""
    environment, *others = scope.environments(root, asked.environments, every=asked.every)
    again = f"turnout preview {environment} --save {file}"
    if others:
        raise UsageError("a plan is saved of one environment", next=again)
    if scope.mode(asked.mode, base=asked.base, head=asked.head, targets=asked.targets) is not Mode.LIVE:
        raise UsageError("a plan is saved of a live preview", why="only that asks the cluster", next=again)
    return Order(file, environment, _lasting(expires, again), asked.targets)


def _lasting(expires: str, again: str) -> timedelta:
    from components.monitoring.settings import seconds

    try:
        return timedelta(seconds=seconds(expires))
    except (ValueError, OverflowError) as error:
        what = f"--expires {expires} is no length of time"
        raise UsageError(what, why=str(error), next=f"{again} --expires 24h") from error


def save(order: Order, review: Reviewed) -> str:
    """Writes the plan; returns what to say.

    Raises Locked (exit 5) while a rollout is open: it alone then goes on. Raises TurnoutError while a rollback is owed.
    """
    from cli.context import project
    from cli.engine.run import Engine, check_settings
    from cli.progress import Silent
    from cli.rollout import applying, debts, where

    environment = order.environment
    engine = Engine(project(), environment, Silent())
    with where.connect(environment) as kube:
        applying.must_not_be_open(kube, environment)
        debts.must_owe_nothing(kube, environment, f"turnout preview {environment} --save {order.file}")
        settings = check_settings(engine.root, environment)
        saved = made(order, review, kube, world.look(engine, kube))
    files.write(saved, order.file)
    command = "rollout start" if applying.of_rollouts(review.plan, settings) else "up"
    return said(order, saved, f"turnout {command} {environment} --plan {order.file}")


def made(order: Order, review: Reviewed, kube: Kube, now: World) -> Saved:
    """The plan as it will stand in the file."""
    from cli.rollout import identity
    from cli.rollout.control import moment, stamp
    from cli.rollout.lock import local_user

    at = moment(identity.server_time(kube))
    return Saved(
        environment=order.environment,
        by=identity.username(kube),
        on=local_user(),
        made=stamp(at),
        expires=stamp(at + order.lasts),
        targets=order.targets,
        world=now,
        counts=review.plan.counts,
        changes=binding.changes(review.plan),
        objects=objects.look(kube, review.plan),
        review=judgement(review),
    )


def judgement(review: Reviewed) -> dict[str, Any]:
    """How the plan was judged, for whoever reads the file."""
    told = masking.masked([review])[0].to_json()
    return {key: told[key] for key in ("risk", "reasons", "blast", "findings") if key in told}


def said(order: Order, saved: Saved, command: str) -> str:
    """What was saved, in words, and the command that does it."""
    number = len(saved.changes)
    changes = f"{number} change{'' if number == 1 else 's'} of {order.environment}"
    lines = [
        f"saved {order.file}: {changes}, plan {saved.digest[:12]}",
        f"it may be applied until {saved.expires[:16]}Z, as long as nothing moves",
        f"next: {command}",
    ]
    return "\n".join(lines)
