"""`turnout rollout status` and `watch`: the one screen, once or until the rollout ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import typer

from cli.commands.options import AsJson, Context, Environment, Kubeconfig


def status(
    environment: Environment, kubeconfig: Kubeconfig = None, context: Context = None, as_json: AsJson = False
) -> None:
    """Show who serves how much on what, the step, and what is next.

    One screen: both tracks with their pods, share and version, the step and those beside it, gates with their figures,
    what is waited for and why, the last events, pins, a freeze, who holds the lock, the next command.

    Example: turnout rollout status dev
    """
    from cli.rollout import panel, screen, survey, where
    from components.names import APP

    with where.connect(environment, kubeconfig, context) as kube:
        found = survey.read(kube, environment, component=APP, freezes=survey.freezes(environment))
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        screen.show(panel.lines(found, datetime.now(UTC)))


def watch(environment: Environment, kubeconfig: Kubeconfig = None, context: Context = None) -> None:
    """Show the same screen live until the rollout ends.

    Below it stand the error ratio and the p95 latency of both tracks, where Prometheus answers. It ends as the rollout
    does: 0 done, 6 rolled back, 7 the rollback failed; 1 when nobody drives it any more. Where none is open it ends at
    once, as the last one did. Without a terminal each change is a line. Ctrl-C ends the watching, not the rollout.

    Example: turnout rollout watch dev
    """
    import sys

    from rich.console import Console

    from cli.rollout import viewing, where

    with where.connect(environment, kubeconfig, context) as kube:
        found = viewing.watch(kube, environment, Console(), sys.stdout)
    if ended := viewing.verdict(found):
        raise ended
