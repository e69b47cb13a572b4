"""`turnout approve`: let a rollout go on that somebody else started, or a plan be applied that somebody else made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.driving import must_be_able_to_ask
from cli.commands.options import AsJson, Context, Environment, Kubeconfig, Reason

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.approvals import Approval
    from cli.rollout.consent import Request
    from cli.rollout.opened import Rollout

app = typer.Typer()


@app.command()
def approve(
    environment: Environment,
    plan: Annotated[
        str, typer.Option(metavar="ID", help="A plan that waits for it, as the refused up or rollout start named it.")
    ] = "",
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show what is approved and ask first.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Let the rollout under way go on; its starter cannot. Needs a kubeconfig and the role approver.

    With `--plan`, let one plan be applied that the settings (`turnout:review.thresholds`) want approved; whoever
    applies it cannot.

    Example: turnout approve prod --reason "checked on staging"
    """
    from cli.rollout import where

    must_be_able_to_ask(f"turnout approve {environment}", yes=yes, as_json=as_json)
    with where.connect(environment, kubeconfig, context) as kube:
        approved = (
            _plan(kube, environment, plan, reason, yes=yes) if plan else _rollout(kube, environment, reason, yes=yes)
        )
    given, said = approved
    typer.echo(json.dumps(given.to_json()) if as_json else said)


def _rollout(kube: Kube, environment: str, reason: str, *, yes: bool) -> tuple[Approval, str]:
    from cli.rollout import approvals

    rollout = approvals.waiting(kube, environment)
    _must_agree(_shown(environment, rollout), f"the rollout of {environment} was not approved", yes=yes)
    given = approvals.approve(kube, environment, rollout, reason)
    return given, _said(environment, rollout, given)


def _plan(kube: Kube, environment: str, id: str, reason: str, *, yes: bool) -> tuple[Approval, str]:
    from cli.rollout import consent

    request = consent.requested(kube, environment, id)
    _must_agree(_asked(environment, request), f"plan {id} of {environment} was not approved", yes=yes)
    given = consent.approve(kube, environment, request, reason)
    return given, f"{given.by} approved plan {id} of {environment} by {request.by}\nnext: {request.command}"


def _must_agree(shown: list[str], otherwise: str, *, yes: bool) -> None:
    """Raises Interrupted for a no."""
    from cli.errors import Interrupted
    from cli.report.plain import visible

    if yes:
        return
    typer.echo("\n".join(visible(line) for line in shown))
    if not typer.confirm("Approve it?", default=False):
        raise Interrupted(otherwise)


def _asked(environment: str, request: Request) -> list[str]:
    git = f", commit {request.git}" if request.git else ""
    return [
        f"{request.by} wants to apply plan {request.id} to {environment}{git}, asked for at {request.at[:19]}Z",
        *(f"  {reason}" for reason in request.reasons),
        f"Applied by: {request.command}",
    ]


def _shown(environment: str, rollout: Rollout) -> list[str]:
    from cli.rollout import wording

    why = f": {rollout.reason}" if rollout.reason else ""
    git = f", commit {rollout.git}" if rollout.git else ""
    return [
        f"{rollout.starter} on {rollout.host} began a rollout of {environment} at {rollout.began[:19]}Z{git}{why}",
        *(f"  {index + 1:>2}  {wording.said(step)}" for index, step in enumerate(rollout.course)),
        f"It stands at step {rollout.at + 1}" + (f" and waits for {rollout.waits}." if rollout.waits else "."),
    ]


def _said(environment: str, rollout: Rollout, given: Approval) -> str:
    done = f"{given.by} approved the rollout of {environment} by {rollout.starter}"
    return f"{done}\nnext: turnout rollout watch {environment}"
