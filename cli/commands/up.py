"""`turnout up`: apply the settings to an environment, under its lock, as a numbered release."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.engine.model import Outcome
    from cli.engine.run import Engine
    from cli.kube.client import Kube

app = typer.Typer()

INTERRUPTED = 8


@app.command()
def up(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="dev, staging, prod, …")],
    target: Annotated[
        list[str] | None, typer.Option(metavar="URN", help="Only this resource; can be repeated.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show the plan and ask first.")] = False,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="Wait that long for the environment's lock.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Apply the settings: show the plan, ask once, apply, and wait until everything is ready.

    Example: turnout up staging --reason "more replicas for the sale"
    """
    from cli.context import project
    from cli.engine.run import Engine, check_settings
    from cli.progress import for_terminal
    from cli.rollout import debts, where
    from cli.rollout.lock import environment_lock

    must_be_able_to_ask(f"turnout up {environment}", yes=yes, as_json=as_json)
    check_settings(project(), environment)
    progress = for_terminal(quiet=as_json)
    engine = Engine(project(), environment, progress)
    with (
        where.connect(environment) as kube,
        environment_lock(
            kube, environment, command=f"turnout up {environment}", reason=reason, wait=wait, progress=progress
        ),
    ):
        debts.settle_owed(kube, environment, engine.root, progress)
        if not yes and not agreed(engine, target or []):
            return
        outcome = apply(kube, engine, target or [], reason)
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


def apply(kube: Kube, engine: Engine, targets: list[str], reason: str) -> Outcome:
    """Apply as one attempt: the release gets its number when everything is ready, and the audit trail its entry.

    An apply of a few targets need not have written the record that the program names.
    """
    from cli.rollout import releases

    with releases.attempt(kube, engine.environment, kind="up", reason=reason, root=engine.root) as attempt:
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


def must_be_able_to_ask(command: str, *, yes: bool, as_json: bool) -> None:
    """Raises UsageError when a question would find nobody to answer it."""
    from cli.errors import UsageError

    if yes:
        return
    if as_json:
        raise UsageError("--json asks no questions", next=f"{command} --json --yes")
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask", why="stdin is not a terminal", next=f"{command} --yes")
