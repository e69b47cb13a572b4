"""`turnout refresh`: read the cluster's state back into the stack."""

from __future__ import annotations

import typer

from cli.commands.driving import Order, driving
from cli.commands.options import AsJson, Environment, Reason, Wait

app = typer.Typer()


@app.command()
def refresh(environment: Environment, reason: Reason = "", wait: Wait = 0, as_json: AsJson = False) -> None:
    """Read what the cluster holds into the stack's state. Changes nothing in the cluster.

    Example: turnout refresh dev
    """
    from cli.commands import up
    from cli.rollout import debts
    from cli.rollout.guard import stopped_when_lost

    command = f"turnout refresh {environment}"
    with driving(Order(environment, command, reason, wait, quiet=as_json, may_ask=not as_json)) as work:
        debts.settle_owed(work.kube, environment, work.engine.root, work.progress)
        with stopped_when_lost(work.held):
            outcome = work.engine.refresh(message=reason)
    up.finish(outcome, as_json=as_json)
