"""`turnout destroy`: delete an environment."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from cli.commands.driving import Order, driving, must_be_able_to_ask
from cli.commands.options import AsJson, Environment, OverrideFreeze, Reason, TakeOver, Wait, Yes

if TYPE_CHECKING:
    from cli.commands.driving import Work
    from cli.engine.model import Outcome
    from cli.engine.run import Engine

app = typer.Typer()


@app.command()
def destroy(
    environment: Environment,
    reason: Reason = "",
    yes: Yes = False,
    wait: Wait = 0,
    take_over: TakeOver = False,
    override_freeze: OverrideFreeze = "",
    as_json: AsJson = False,
) -> None:
    """Delete everything of an environment, its data included. Releases, lock and audit trail stay.

    Example: turnout destroy dev
    """
    from cli.commands import up
    from cli.rollout import rights

    command = f"turnout destroy {environment}"
    must_be_able_to_ask(command, yes=yes, as_json=as_json)
    order = Order(environment, command, reason, wait, as_json, not yes, override_freeze, take_over)
    with driving(order) as work:
        rights.must_be_able_to_destroy(work.kube, environment)
        if not yes:
            _ask(work.engine)
        outcome = _destroy(work, order)
    up.finish(outcome, as_json=as_json)


def _destroy(work: Work, order: Order) -> Outcome:
    from cli.errors import TurnoutError
    from cli.rollout import audit, debts
    from cli.rollout.guard import stopped_when_lost

    debts.settle_owed(work.kube, order.environment, work.engine.root, work.progress)
    entry, result = audit.entry(work.kube, order.command, why=order.reason), "interrupted"
    try:
        with stopped_when_lost(work.held):
            outcome = work.engine.destroy(message=order.reason)
        result = "done" if outcome.ok else f"failed: {outcome.reason}"
    except TurnoutError as error:
        result = f"failed: {error.what}"
        raise
    finally:
        audit.write(work.kube, order.environment, replace(entry, outcome=result))
    return outcome


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
