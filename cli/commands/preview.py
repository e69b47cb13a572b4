"""`turnout preview`: what an apply would change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Environment

if TYPE_CHECKING:
    from cli.engine.model import Plan
    from cli.engine.run import Engine
    from cli.rollout.book import Debt

app = typer.Typer()

CHANGES_PRESENT = 3

_A_MOMENT = 0.5
"""Seconds that a preview waits, when it is done, for an answer that was asked for when it began."""


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
    from cli.rollout import debts

    engine = Engine(project(), environment, for_terminal(quiet=as_json))
    debt = debts.Look(environment)
    plan = engine.preview(target or ())
    plan = _warned(plan, [*_left_open(engine), *_owed(debt.within(_A_MOMENT))])
    show(plan, as_json=as_json)
    if exit_code and not plan.empty:
        raise typer.Exit(CHANGES_PRESENT)


def _left_open(engine: Engine) -> list[str]:
    """Where only the engine can read the state, its own warning is in the plan already."""
    import os

    from cli.engine import pending

    found = pending.of_state(engine.root, engine.environment, dict(os.environ))
    return [pending.warning(engine.environment, found)] if found else []


def _owed(debt: Debt | None) -> list[str]:
    if debt is None:
        return []
    return [f"the state does not know of the rollback to release {debt.number} yet: the next turnout up settles that"]


def _warned(plan: Plan, warnings: list[str]) -> Plan:
    from cli.engine.model import Diagnostic

    return replace(plan, diagnostics=(*plan.diagnostics, *(Diagnostic("warning", text) for text in warnings)))


def show(plan: Plan, *, as_json: bool) -> None:
    """Put a plan on stdout."""
    from cli.report import output, text

    if as_json:
        output.document(plan.to_json())
    else:
        output.lines(text.plan_lines(plan))
