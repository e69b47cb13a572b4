"""`turnout preview`: what an apply would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.engine.model import Plan

app = typer.Typer()

CHANGES_PRESENT = 3


@app.command()
def preview(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="dev, staging, prod, …")],
    target: Annotated[
        list[str] | None, typer.Option(metavar="URN", help="Only this resource; can be repeated.")
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when there are changes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show what an apply would change, by component, resource and field. Changes nothing.

    Example: turnout preview prod --exit-code
    """
    from cli.context import project
    from cli.engine.run import Engine
    from cli.progress import for_terminal

    plan = Engine(project(), environment, for_terminal(quiet=as_json)).preview(target or ())
    show(plan, as_json=as_json)
    if exit_code and not plan.empty:
        raise typer.Exit(CHANGES_PRESENT)


def show(plan: Plan, *, as_json: bool) -> None:
    """Put a plan on stdout."""
    from cli.report import output, text

    if as_json:
        output.document(plan.to_json())
    else:
        output.lines(text.plan_lines(plan))
