"""`turnout logs`: the log of a workload's pods, through the API server."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.commands.options import Context, Environment, Kubeconfig

app = typer.Typer()


@app.command()
def logs(
    environment: Environment,
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="As `turnout status ENV` calls it.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    since: Annotated[str, typer.Option(metavar="TIME", help="Only newer lines: 90s, 15m, 2h, 1d.")] = "",
    tail: Annotated[int, typer.Option(metavar="LINES", help="So many last lines of each container.")] = 100,
    previous: Annotated[bool, typer.Option(help="Of the run before the present one, after a crash.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout (not with --follow).")] = False,
) -> None:
    """Show the log of a workload: every pod and container, lines in the order of time.

    Example: turnout logs dev api --since 15m
    """
    from cli import streams
    from cli.errors import UsageError
    from cli.rollout import logs as reading
    from cli.rollout import where

    if follow and (as_json or previous):
        raise UsageError("--follow goes neither with --json nor with --previous")
    wanted = reading.Wanted(workload, reading.seconds(since), tail, previous)
    with where.connect(environment, kubeconfig, context) as kube:
        pods = reading.pods(kube, environment, workload)
        if follow:
            for line in reading.followed(kube, pods, wanted):
                typer.echo(line.text)
                if streams.unread():
                    break
            return
        lines = reading.read(kube, pods, wanted)
    if as_json:
        typer.echo(json.dumps([line.to_json() for line in lines]))
    else:
        for line in lines:
            typer.echo(line.text)
