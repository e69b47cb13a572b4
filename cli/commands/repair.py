"""`turnout repair`: settle what a killed run left behind, by looking at what really happened."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Environment, Wait
from cli.errors import CHANGES_PRESENT

if TYPE_CHECKING:
    from cli.engine.run import Engine
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lease import Holder
    from cli.rollout.lock import Held
    from cli.rollout.repairs import Done, Item, Survey

app = typer.Typer()


@app.command()
def repair(
    environment: Environment,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    unlock: Annotated[
        bool, typer.Option("--unlock", help="Another machine's lock on the state too: its process is known to be gone.")
    ] = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Settle what a killed run left behind: locks, half-done operations, the debt of a rollback.

    Shows what it found and what it will do, and asks once. Operations are settled by what the cluster holds, never by
    a guess. Where nobody can be asked it only shows: exit 3 when there is something to repair, 0 when there is not.
    Exit 1 when something is left that only you can settle.

    Example: turnout repair prod
    """
    from cli.context import project
    from cli.engine.run import Engine
    from cli.progress import for_terminal
    from cli.rollout import repairs, where
    from cli.rollout.guard import stopped_when_lost

    progress = for_terminal(quiet=as_json)
    engine = Engine(project(), environment, progress)
    acting = yes or (sys.stdin.isatty() and not as_json)
    with ExitStack() as stack:
        kube = stack.enter_context(where.connect(environment))
        holder, held, unreachable = _hold(stack, kube, environment, wait, progress, acting=acting)
        reached = None if unreachable else kube
        found = repairs.survey(engine, reached, wait=wait, unlock=unlock, holder=holder, unreachable=unreachable)
        items = repairs.items(found)
        if not as_json:
            _show(found, items)
        if held is not None:
            stack.enter_context(stopped_when_lost(held))
        done = _done(found, items, engine, reached, progress, yes=yes) if items and acting else None
    _finish(found, items, done, as_json=as_json)


def _hold(
    stack: ExitStack, kube: Kube, environment: str, wait: float, progress: Progress, *, acting: bool
) -> tuple[Holder | None, Held | None, str]:
    """Take the environment's lock: (whose dead one it was, ours, why the cluster cannot be reached).

    Only to show, a dead one is left as it is.
    """
    from cli.kube.errors import Unreachable
    from cli.rollout import repairs
    from cli.rollout.lock import environment_lock

    command, held = f"turnout repair {environment}", None
    try:
        holder = repairs.dead_holder(kube, environment)
        if acting or holder is None:
            held = stack.enter_context(
                environment_lock(kube, environment, command=command, wait=wait, progress=progress)
            )
    except Unreachable as error:
        return None, None, error.why or error.what
    return holder, held, ""


def _done(
    found: Survey, items: list[Item], engine: Engine, kube: Kube | None, progress: Progress, *, yes: bool
) -> Done | None:
    from cli.errors import Interrupted
    from cli.rollout import audit, repairs

    if not yes and any(item.action for item in items) and not typer.confirm("Do this?", default=True):
        raise Interrupted(f"{found.environment} was not touched")
    entry = audit.entry(kube, f"turnout repair {found.environment}") if kube else None
    result = "interrupted"
    try:
        done = repairs.carry_out(found, engine, kube, progress)
        result = repairs.summary(done)
    finally:
        if kube and entry:
            from dataclasses import replace

            audit.write(kube, found.environment, replace(entry, outcome=result))
    return done


def _show(found: Survey, items: list[Item]) -> None:
    if found.unreachable:
        typer.secho(f"the cluster could not be looked at: {found.unreachable}", fg="yellow")
    if not items:
        typer.echo(f"{found.environment}: nothing to repair")
    for item in items:
        typer.echo(f"• {item.what}\n    found: {item.found}")
        if item.action:
            typer.echo(f"    to do: {item.action}")
        else:
            typer.secho(f"    next:  {item.next}", fg="yellow")


def _finish(found: Survey, items: list[Item], done: Done | None, *, as_json: bool) -> None:
    if as_json:
        from cli.report import output

        output.document(_document(found, items, done))
    elif done is not None:
        _show_done(found, done)
    if done is None and items:
        raise typer.Exit(CHANGES_PRESENT)
    if done is not None and done.left:
        raise typer.Exit(1)


def _show_done(found: Survey, done: Done) -> None:
    typer.echo(f"{found.environment}: {len(done.settled)} settled, {len(done.left)} left")
    if not done.left:
        typer.echo(f"next: turnout preview {found.environment}")
    for item in done.left:
        typer.secho(f"✗ {item.what}: {item.found}\n    next: {item.next}", fg="red")


def _document(found: Survey, items: list[Item], done: Done | None) -> dict[str, object]:
    document: dict[str, object] = {
        "environment": found.environment,
        "unreachable": found.unreachable,
        "findings": [item.to_json() for item in items],
    }
    if done is None:
        return document
    settled = {"settled": [item.to_json() for item in done.settled], "left": [item.to_json() for item in done.left]}
    return document | settled
