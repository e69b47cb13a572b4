"""`turnout destroy`: delete an environment."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cli.engine.run import Engine

app = typer.Typer()


@app.command()
def destroy(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="dev, staging, prod, …")],
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="Wait that long for the environment's lock.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Delete everything of an environment, its data included. Releases, lock and audit trail stay.

    Example: turnout destroy dev
    """
    from cli.commands import up
    from cli.context import project
    from cli.engine.run import Engine
    from cli.errors import TurnoutError
    from cli.progress import for_terminal
    from cli.rollout import audit, where
    from cli.rollout.lock import environment_lock

    command = f"turnout destroy {environment}"
    up.must_be_able_to_ask(command, yes=yes, as_json=as_json)
    progress = for_terminal(quiet=as_json)
    engine = Engine(project(), environment, progress)
    with (
        where.connect(environment) as kube,
        environment_lock(kube, environment, command=command, reason=reason, wait=wait, progress=progress),
    ):
        if not yes:
            _ask(engine)
        entry, result = audit.entry(kube, command, why=reason), "interrupted"
        try:
            outcome = engine.destroy(message=reason)
            result = "done" if outcome.ok else f"failed: {up.first_reason(outcome)}"
        except TurnoutError as error:
            result = f"failed: {error.what}"
            raise
        finally:
            audit.write(kube, environment, replace(entry, outcome=result))
    up.finish(outcome, as_json=as_json)


def contents(state: dict[str, Any]) -> dict[str, int]:
    """How many objects of each kind a state holds, most first."""
    resources = (state.get("deployment") or {}).get("resources") or []
    kinds = Counter(entry["type"].rsplit(":", 1)[-1] for entry in resources if entry["type"].startswith("kubernetes:"))
    return dict(kinds.most_common())


def _ask(engine: Engine) -> None:
    from cli.errors import Interrupted

    held = ", ".join(f"{count} {kind}" for kind, count in contents(engine.export_state()).items())
    typer.echo(f"{engine.environment} holds {held or 'nothing'}.")
    answer = typer.prompt(f"Type {engine.environment} to delete all of it", default="", show_default=False)
    if answer != engine.environment:
        raise Interrupted(f"{engine.environment} was not touched")
