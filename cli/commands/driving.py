"""What every command that changes an environment through the engine does first: its lock, then a look at its state."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cli.engine.locks import Lock
    from cli.engine.run import Engine
    from cli.engine.turns import Offer
    from cli.kube.client import Kube
    from cli.plans.binding import Bound
    from cli.progress import Progress
    from cli.rollout.lease import Holder
    from cli.rollout.lock import Held


@dataclass(frozen=True)
class Order:
    """What was asked for. `may_ask`: whether somebody is there to answer questions.

    `override`: why a freeze is overridden, empty where it is not; None: no freeze stops this command. `plan`: what was
    agreed to beforehand, and must still hold.
    """

    environment: str
    command: str
    reason: str
    wait: float
    quiet: bool
    may_ask: bool
    override: str | None = None
    take_over: bool = False
    plan: Bound | None = None


@dataclass(frozen=True)
class Work:
    """What a command works with while it holds the environment."""

    kube: Kube
    engine: Engine
    held: Held
    progress: Progress


@contextmanager
def driving(order: Order) -> Iterator[Work]:
    """Holds the environment, with its state free, whole and settled. Raises Locked, PendingOperations, StalePlan, …"""
    from cli.context import project
    from cli.engine import ready
    from cli.engine.run import Engine
    from cli.progress import for_terminal
    from cli.rollout import cursor, freezing, where
    from cli.rollout.lock import environment_lock

    environment, progress, why = order.environment, for_terminal(quiet=order.quiet), order.override or ""
    engine = Engine(project(), environment, progress, wait=order.wait, offer=_offer(order))
    obeys = order.override is not None
    window = freezing.must_be_open(engine.root, environment, order.command, why) if obeys else None
    with where.connect(environment) as kube:
        _must_hold(order, engine, kube)  # nobody waits for the lock with a plan that does not
        with environment_lock(
            kube,
            environment,
            command=order.command,
            reason=order.reason,
            wait=order.wait,
            progress=progress,
            take_over=taker(order.take_over, ask=order.may_ask),
        ) as held:
            if window:
                freezing.overridden(kube, environment, window, order.command, why)
            ready.must_be(engine)
            _must_hold(order, engine, kube)
            engine.cursor = cursor.read(kube, environment).to_program()
            yield Work(kube, engine, held, progress)


def _must_hold(order: Order, engine: Engine, kube: Kube) -> None:
    if order.plan is not None:
        order.plan.must_hold(engine, kube)


def taker(wanted: bool, *, ask: bool) -> Callable[[Holder], bool] | None:
    """What says whether the lock is taken from its living holder: a person, or `--take-over` with `--yes`."""
    if not wanted:
        return None
    return _may_be_taken if ask else lambda _: True


def must_be_able_to_ask(command: str, *, yes: bool, as_json: bool) -> None:
    """Raises UsageError when a question would find nobody to answer it."""
    from cli.errors import UsageError

    if yes:
        return
    if as_json:
        raise UsageError("--json asks no questions", next=f"{command} --json --yes")
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask", why="stdin is not a terminal", next=f"{command} --yes")


def _offer(order: Order) -> Offer | None:
    return _may_be_removed if order.may_ask and sys.stdin.isatty() else None


def _may_be_removed(lock: Lock) -> bool:
    typer.echo(f"The state is still locked by {lock.who}.\nWhoever took that lock ended before they could leave it.")
    return typer.confirm("Remove it?", default=False)


def _may_be_taken(owner: Holder) -> bool:
    doing = f" (now: {owner.phase})" if owner.phase else ""
    typer.echo(f"{owner.who} on {owner.host} holds the lock: {owner.command}{doing}.")
    typer.echo("Whatever they are at stops at its next step, wherever that leaves it.")
    return typer.confirm("Take the lock from them?", default=False)
