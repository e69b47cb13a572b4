"""`turnout rollout`: move the app to the release that the settings describe, watch it, take it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.driving import Order, driving, must_be_able_to_ask
from cli.commands.options import AsJson, Context, Environment, Kubeconfig, Reason, Wait

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.rollout.rolling import Rolled

app = typer.Typer(no_args_is_help=True, help="Move the app to its next release, step by step.")


@app.command()
def start(
    environment: Environment,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show the plan and ask first.")] = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Roll to the release that the settings describe; one that fails is taken back by itself.

    It fails at the first certain sign: a crash loop, a missing image, the progress deadline. Exit 6: rolled back;
    7: the rollback failed too. It shows the plan and asks once; `--yes` does without.

    Example: turnout rollout start dev --reason "agents 1.3.0"
    """
    from cli.rollout import rolling

    command = f"turnout rollout start {environment}"
    must_be_able_to_ask(command, yes=yes, as_json=as_json)
    with driving(Order(environment, command, reason, wait, quiet=as_json, may_ask=not yes)) as work:
        agree = None if yes else _agreed
        rolled = rolling.start(work.kube, work.engine, work.held, work.progress, reason=reason, agree=agree)
    typer.echo(json.dumps(rolled.to_json()) if as_json else _said(environment, rolled))


@app.command()
def status(
    environment: Environment, kubeconfig: Kubeconfig = None, context: Context = None, as_json: AsJson = False
) -> None:
    """Show what goes on: who drives it, who serves on which version, and what is waited for.

    Example: turnout rollout status dev
    """
    from cli.rollout import screen, where
    from cli.rollout import status as reading
    from cli.rollout.plan import APP

    with where.connect(environment, kubeconfig, context) as kube:
        found = reading.read(kube, environment, component=APP)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        screen.show(screen.rollout(found))


@app.command()
def abort(
    environment: Environment,
    reason: Reason = "",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """End the rollout under way and go back to the last good release, from any terminal.

    The process that drives it is asked to do so; when that one is dead, it is done here.

    Example: turnout rollout abort dev --reason "wrong version"
    """
    from cli.progress import for_terminal
    from cli.rollout import abort as aborting
    from cli.rollout import where

    progress = for_terminal(quiet=as_json)
    with where.connect(environment, kubeconfig, context) as kube:
        said = aborting.abort(kube, environment, progress, reason=reason, root=where.checkout(environment))
    typer.echo(json.dumps({"environment": environment, "outcome": said}) if as_json else said)


def _agreed(plan: Plan) -> bool:
    from cli.commands import preview

    preview.show(plan, as_json=False)
    return typer.confirm("Roll this out?", default=True)


def _said(environment: str, rolled: Rolled) -> str:
    if rolled.changes == 0:
        return f"{environment}: nothing to roll out, the settings describe what runs"
    release = f"release {rolled.release.number}" if rolled.release else "the release"
    done = f"{environment} serves {release}: {rolled.changes} changes in {rolled.seconds:.1f} s"
    return f"{done}\nnext: turnout status {environment}"
