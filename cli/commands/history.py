"""`turnout history`: what was done to an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Environment

if TYPE_CHECKING:
    from cli.rollout.audit import Entry

app = typer.Typer()


@app.command()
def history(
    environment: Environment,
    limit: Annotated[int, typer.Option(min=1, help="How many entries, newest first.")] = 20,
    updates: Annotated[
        bool, typer.Option("--updates", help="The engine's own updates of the state, also of plain `pulumi up`.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what was done to an environment: when, by whom, why, and how it ended. Newest first.

    Example: turnout history prod --limit 5
    """
    from cli.report import output

    if updates:
        _updates(environment, limit, as_json=as_json)
        return
    from cli.rollout import audit, where

    with where.connect(environment) as kube:
        entries = audit.entries(kube, environment)[:limit]
    if as_json:
        output.document([entry.to_json() for entry in entries])
    else:
        typer.echo("\n".join(map(_line, entries)) or f"nothing was done to {environment} yet")


def _updates(environment: str, limit: int, *, as_json: bool) -> None:
    from cli.context import project
    from cli.engine.run import Engine
    from cli.progress import for_terminal
    from cli.report import output, text

    found = Engine(project(), environment, for_terminal(quiet=as_json)).history(limit)
    if as_json:
        output.document([update.to_json() for update in found])
    else:
        output.lines(text.history_lines(found))


def _line(entry: Entry) -> str:
    release = f"release {entry.release}" if entry.release else ""
    who = f"by {entry.who} ({entry.host})"
    parts = (f"{entry.when[:19]}Z", entry.what, release, entry.outcome, who, entry.git, entry.why)
    return "  ".join(part for part in parts if part)
