"""`turnout status`: every workload of an environment, and what goes on around it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.commands.options import AsJson, Context, Environment, Kubeconfig

app = typer.Typer()


@app.command()
def status(
    environment: Environment,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 when a service is unhealthy (else 0 also then).")
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Show each service with its health, and the reason when it is not healthy.

    Also: both tracks of a service that has two, the current release, an open rollout, pins, a freeze, who holds the
    lock, what the state owes, and the next command.

    Example: turnout status dev
    """
    from cli.rollout import screen, survey, where

    with where.connect(environment, kubeconfig, context) as kube:
        found = survey.read(kube, environment, freezes=survey.freezes(environment))
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        screen.show(screen.status(found))
    if exit_code and not found.status.healthy:
        raise typer.Exit(1)
