"""`turnout status`: every workload of an environment, and what goes on around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def status(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="dev, staging, prod, …")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 when a service is unhealthy (else 0 also then).")
    ] = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="The cluster's kubeconfig; no checkout is needed then.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="A context of the kubeconfig.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show each service with its health, and the reason when it is not healthy.

    Also: the current release, who holds the lock, what the state owes, and the next command.

    Example: turnout status dev
    """
    from cli.rollout import screen, where
    from cli.rollout import status as reading

    with where.connect(environment, kubeconfig, context) as kube:
        found = reading.read(kube, environment)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        screen.show(screen.status(found))
    if exit_code and not found.healthy:
        raise typer.Exit(1)
