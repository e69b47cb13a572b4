"""`turnout up`: apply the settings to an environment, under its lock, as a numbered release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.driving import Order, driving, must_be_able_to_ask
from cli.commands.options import AsJson, Environment, OverrideFreeze, PlanFile, Reason, TakeOver, Wait
from cli.errors import Interrupted, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from cli.commands.driving import Work
    from cli.engine.model import Outcome
    from cli.plans.binding import Bound
    from cli.rollout.counts import Count
    from infra.settings import Settings

app = typer.Typer()


@app.command()
def up(
    environment: Environment,
    target: Annotated[
        list[str] | None, typer.Option(metavar="URN", help="Only this resource; can be repeated.")
    ] = None,
    plan: PlanFile = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Also replace the pods of services that have a strategy, where they are.")
    ] = False,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show the plan and ask first.")] = False,
    wait: Wait = 0,
    take_over: TakeOver = False,
    override_freeze: OverrideFreeze = "",
    as_json: AsJson = False,
) -> None:
    """Apply the settings: show the plan, ask once, apply, and wait until everything is ready.

    With `--plan` it does what a plan of `turnout preview ENV --save FILE` says, or nothing at all: exit 9 where the
    commit, the settings, the state, the cluster or a tool is another since.

    A new release of a blue/green or canary service is a rollout's: exit 2 names it. What breaks a mandatory policy is
    refused: exit 4. Nothing is touched then.

    Example: turnout up staging --reason "more replicas for the sale"
    """
    from cli.context import project
    from cli.engine.run import check_settings
    from cli.review import policing
    from cli.rollout import applying, counts, debts, letting, warmth

    command = f"turnout up {environment}"
    bound = _bound(plan, environment, target)
    targets, agreed = bound.targets if bound else target or [], yes or bound is not None
    must_be_able_to_ask(command, yes=agreed, as_json=as_json)
    settings = check_settings(project(), environment)
    order = Order(environment, command, reason, wait, as_json, not agreed, override_freeze, take_over, bound)
    policies = policing.Look(project(), settings)
    with driving(order) as work:
        applying.must_not_be_open(work.kube, environment)
        letting.must_be_let_in(work.kube, environment, work.engine.root, command)
        policies.must_hold()
        debts.settle_owed(work.kube, environment, work.engine.root, work.progress)
        found = counts.look(work.kube, environment, settings.app)
        going = _may_go_on(work, settings, targets, found, yes=agreed, in_place=in_place, bound=bound)
        warmth.cool(work.kube, environment, work.held)
        if not going:
            return
        outcome = apply(work, targets, reason)
        if outcome.ok:
            found = counts.look(work.kube, environment, settings.app)
            counts.change(work.kube, environment, work.held, found)
            outcome = counts.told(outcome, found)
    finish(outcome, as_json=as_json)


def _bound(file: Path | None, environment: str, targets: list[str] | None) -> Bound | None:
    """The plan that was asked for, whole and of this environment."""
    from cli.errors import UsageError
    from cli.plans import binding

    if file is None:
        return None
    if targets:
        raise UsageError(
            "--target and --plan do not go together",
            why="a plan says itself what it is about",
            next=f"turnout up {environment} --plan {file}",
        )
    return binding.load(file, environment)


def _may_go_on(
    work: Work,
    settings: Settings,
    targets: list[str],
    found: list[Count],
    *,
    yes: bool,
    in_place: bool,
    bound: Bound | None,
) -> bool:
    """Look at the plan where anything depends on it, show it and ask; False when there is nothing to do.

    Raises UsageError (exit 2) for what is a rollout's, StalePlan for other changes than `bound` has, Refused (exit 4)
    for what is not let through or not approved yet, Interrupted for a no.
    """
    from cli.commands import preview
    from cli.errors import Interrupted
    from cli.rollout import applying, counts, reviewing

    decided = in_place or not applying.may_need_a_rollout(settings.app)
    if yes and decided and bound is None and not reviewing.asks(settings):
        return True
    plan = counts.told(work.engine.preview(targets), found)
    if bound is not None:
        bound.must_equal(work.kube, plan)
    if not decided:
        applying.must_be_no_rollout(plan, settings, f" --plan {bound.file}" if bound else "")
    reviewed = reviewing.judged(plan, settings)
    if not yes:
        preview.show(reviewed)
    reviewing.must_pass(work.kube, work.engine.root, reviewed, f"turnout up {work.engine.environment}")
    if yes:
        return True
    if plan.empty:
        return False
    if not typer.confirm("Apply this?", default=True):
        raise Interrupted(f"{work.engine.environment} was not touched")
    return True


def apply(work: Work, targets: list[str], reason: str) -> Outcome:
    """Apply as one attempt: the release gets its number when everything is ready, and the audit trail its entry.

    An apply of a few targets need not have written the record that the program names.
    """
    from cli.rollout import consent, releases
    from cli.rollout.guard import stopped_when_lost
    from components.names import RELEASE

    kube, engine = work.kube, work.engine
    with releases.attempt(kube, engine.environment, kind="up", reason=reason, root=engine.root) as attempt:
        with stopped_when_lost(work.held):
            outcome = engine.up(targets, message=reason)
        if outcome.ok:
            attempt.succeeded(None if targets else outcome.outputs.get(RELEASE))
            releases.prune(kube, engine.environment)
            consent.forget(kube, engine.environment)
        else:
            attempt.failed(outcome.reason)
    return outcome


def finish(outcome: Outcome, *, as_json: bool) -> None:
    """Put an outcome on stdout, and end with the exit code that says how it went."""
    from cli.engine import failures
    from cli.report import output, review_text, text

    if as_json:
        output.document(outcome.to_json())
    else:
        output.lines([*review_text.changes(outcome.changes), *text.outcome_lines(outcome)])
    if outcome.interrupted:
        raise typer.Exit(Interrupted.exit_code)
    if not outcome.ok:
        refused = any(failures.is_refusal(failure.message) for failure in outcome.failures)
        raise typer.Exit(Refused.exit_code if refused else 1)
