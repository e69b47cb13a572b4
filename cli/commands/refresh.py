"""`turnout refresh`: read the cluster's state back into the stack."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def refresh(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="dev, staging, prod, …")],
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="Wait that long for the environment's lock.")] = 0,
    unlock: Annotated[
        bool, typer.Option("--unlock", help="First remove the state's lock: its process is known to be gone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Read what the cluster holds into the stack's state. Changes nothing in the cluster.

    Example: turnout refresh dev
    """
    from cli.commands import up
    from cli.context import project
    from cli.engine.run import Engine
    from cli.progress import for_terminal
    from cli.rollout import debts, where
    from cli.rollout.lock import environment_lock

    progress = for_terminal(quiet=as_json)
    engine = Engine(project(), environment, progress)
    command = f"turnout refresh {environment}"
    with (
        where.connect(environment) as kube,
        environment_lock(kube, environment, command=command, reason=reason, wait=wait, progress=progress),
    ):
        if unlock:
            engine.unlock()
        debts.settle_owed(kube, environment, engine.root, progress)
        outcome = engine.refresh(message=reason)
    up.finish(outcome, as_json=as_json)
