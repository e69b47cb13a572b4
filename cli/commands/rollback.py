"""`turnout rollback`: bring the last good release back. Imports no pulumi and reads no program."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Context, Environment, Kubeconfig, Reason, Wait

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.plan import Rollback

app = typer.Typer()


@app.command()
def rollback(
    environment: Environment,
    to: Annotated[
        int | None, typer.Option(metavar="N", help="The release to go back to; else the last good one.")
    ] = None,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 0,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long workloads may take to come up.")] = 600,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Also restore fields that another controller owns now.")
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Bring the last good release back: its objects, its configuration, its secrets.

    Shows what will change and asks once. Needs a kubeconfig and nothing else: no state, no passphrase, no program.

    Example: turnout rollback prod --reason "checkout returns errors"
    """
    from cli.errors import UsageError
    from cli.progress import for_terminal
    from cli.rollout import rollback as rolling
    from cli.rollout import show, where
    from cli.rollout.lock import environment_lock

    if as_json and not yes:
        raise UsageError("--json asks no questions", next=f"turnout rollback {environment} --json --yes")
    progress = for_terminal(quiet=as_json)
    order = rolling.Order(_command(environment, to), reason, where.checkout(environment), force_conflicts, timeout)
    with where.connect(environment, kubeconfig, context) as kube:
        rolling.target(kube, environment, to)
        with environment_lock(
            kube, environment, command=order.command, reason=reason, wait=wait, progress=progress
        ) as held:
            wanted = _planned(kube, environment, to, force_conflicts)
            if not as_json:
                typer.echo("\n".join(show.plan(wanted)))
            if not yes:
                _ask(environment)
            ended = rolling.carry_out(kube, wanted, order, held, progress)
    typer.echo(json.dumps(wanted.to_json() | ended.to_json()) if as_json else "\n".join(show.done(environment, ended)))


def _planned(kube: Kube, environment: str, to: int | None, force: bool) -> Rollback:
    from cli.rollout import rollback as rolling

    wanted = rolling.prepare(kube, environment, to)
    rolling.check(kube, wanted, force=force)
    return wanted


def _ask(environment: str) -> None:
    from cli.errors import Interrupted, UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to ask", why="stdin is not a terminal", next=f"turnout rollback {environment} --yes"
        )
    if not typer.confirm("Go back?", default=True):
        raise Interrupted(f"{environment} was not touched", next=f"turnout status {environment}")


def _command(environment: str, to: int | None) -> str:
    return f"turnout rollback {environment}" + (f" --to {to}" if to is not None else "")
