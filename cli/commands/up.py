"""`turnout up`: apply the settings to an environment, under its lock, as a numbered release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.driving import Order, driving, must_be_able_to_ask
from cli.commands.options import AsJson, Environment, Reason, Wait

if TYPE_CHECKING:
    from cli.commands.driving import Work
    from cli.engine.model import Outcome
    from cli.engine.run import Engine

app = typer.Typer()

INTERRUPTED = 8


@app.command()
def up(
    environment: Environment,
    target: Annotated[
        list[str] | None, typer.Option(metavar="URN", help="Only this resource; can be repeated.")
    ] = None,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show the plan and ask first.")] = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Apply the settings: show the plan, ask once, apply, and wait until everything is ready.

    Example: turnout up staging --reason "more replicas for the sale"
    """
    from cli.context import project
    from cli.engine.run import check_settings
    from cli.rollout import debts

    command = f"turnout up {environment}"
    must_be_able_to_ask(command, yes=yes, as_json=as_json)
    check_settings(project(), environment)
    with driving(Order(environment, command, reason, wait, quiet=as_json, may_ask=not yes)) as work:
        debts.settle_owed(work.kube, environment, work.engine.root, work.progress)
        if not yes and not agreed(work.engine, target or []):
            return
        outcome = apply(work, target or [], reason)
    finish(outcome, as_json=as_json)


def agreed(engine: Engine, targets: list[str]) -> bool:
    """Show the plan and ask; False when there is nothing to do. Raises Interrupted for a no."""
    from cli.commands import preview
    from cli.errors import Interrupted

    plan = engine.preview(targets)
    preview.show(plan, as_json=False)
    if plan.empty:
        return False
    if not typer.confirm("Apply this?", default=True):
        raise Interrupted(f"{engine.environment} was not touched")
    return True


def apply(work: Work, targets: list[str], reason: str) -> Outcome:
    """Apply as one attempt: the release gets its number when everything is ready, and the audit trail its entry.

    An apply of a few targets need not have written the record that the program names.
    """
    from cli.rollout import releases
    from cli.rollout.guard import stopped_when_lost

    kube, engine = work.kube, work.engine
    with releases.attempt(kube, engine.environment, kind="up", reason=reason, root=engine.root) as attempt:
        with stopped_when_lost(work.held):
            outcome = engine.up(targets, message=reason)
        if outcome.ok:
            attempt.succeeded(None if targets else outcome.outputs.get(releases.RECORD))
            releases.prune(kube, engine.environment)
        else:
            attempt.failed(first_reason(outcome))
    return outcome


def first_reason(outcome: Outcome) -> str:
    """Why an outcome is not ok, in one line."""
    if outcome.interrupted:
        return "interrupted"
    said = [failure.message for failure in outcome.failures]
    said += [entry.message for entry in outcome.diagnostics if entry.severity == "error"]
    return said[0].splitlines()[0] if said and said[0] else "the engine failed"


def finish(outcome: Outcome, *, as_json: bool) -> None:
    """Put an outcome on stdout, and end with the exit code that says how it went."""
    from cli.report import output, text

    if as_json:
        output.document(outcome.to_json())
    else:
        output.lines([*text.change_lines(outcome.changes), *text.outcome_lines(outcome)])
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not outcome.ok:
        raise typer.Exit(1)
