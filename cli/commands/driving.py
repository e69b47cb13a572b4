"""What every command that changes an environment through the engine does first: its lock, then a look at its state."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cli.engine.locks import Lock
    from cli.engine.run import Engine
    from cli.engine.turns import Offer
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lock import Held


@dataclass(frozen=True)
class Order:
    """What was asked for. `may_ask`: whether somebody is there to answer questions."""

    environment: str
    command: str
    reason: str
    wait: float
    quiet: bool
    may_ask: bool


@dataclass(frozen=True)
class Work:
    """What a command works with while it holds the environment."""

    kube: Kube
    engine: Engine
    held: Held
    progress: Progress


@contextmanager
def driving(order: Order) -> Iterator[Work]:
    """Holds the environment, with its state free, whole and settled. Raises Locked, PendingOperations, …"""
    from cli.context import project
    from cli.engine import ready
    from cli.engine.run import Engine
    from cli.progress import for_terminal
    from cli.rollout import where
    from cli.rollout.lock import environment_lock

    environment, progress = order.environment, for_terminal(quiet=order.quiet)
    engine = Engine(project(), environment, progress, wait=order.wait, offer=_offer(order))
    with (
        where.connect(environment) as kube,
        environment_lock(
            kube, environment, command=order.command, reason=order.reason, wait=order.wait, progress=progress
        ) as held,
    ):
        ready.must_be(engine)
        yield Work(kube, engine, held, progress)


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
