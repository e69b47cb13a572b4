"""`turnout preview`: what an apply would change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Environment

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.engine.run import Engine

app = typer.Typer()

CHANGES_PRESENT = 3


@app.command()
def preview(
    environment: Environment,
    target: Annotated[
        list[str] | None, typer.Option(metavar="URN", help="Only this resource; can be repeated.")
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when there are changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an apply would change, by component, resource and field. Changes nothing.

    Example: turnout preview prod --exit-code
    """
    from cli.context import project
    from cli.engine.run import Engine
    from cli.progress import for_terminal

    engine = Engine(project(), environment, for_terminal(quiet=as_json))
    plan = _with_what_was_left_open(engine, engine.preview(target or ()))
    show(plan, as_json=as_json)
    if exit_code and not plan.empty:
        raise typer.Exit(CHANGES_PRESENT)


def _with_what_was_left_open(engine: Engine, plan: Plan) -> Plan:
    """Where only the engine can read the state, its own warning is in the plan already."""
    import os

    from cli.engine import pending
    from cli.engine.model import Diagnostic

    found = pending.of_state(engine.root, engine.environment, dict(os.environ))
    if not found:
        return plan
    warning = Diagnostic("warning", pending.warning(engine.environment, found))
    return replace(plan, diagnostics=(*plan.diagnostics, warning))


def show(plan: Plan, *, as_json: bool) -> None:
    """Put a plan on stdout."""
    from cli.report import output, text

    if as_json:
        output.document(plan.to_json())
    else:
        output.lines(text.plan_lines(plan))
