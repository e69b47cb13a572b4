"""`turnout preview`: what an apply would change, plan by plan: plan, judge, publish, answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson
from cli.engine.model import Mode
from cli.errors import CHANGES_PRESENT, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.plans.saving import Order
    from cli.review.model import Reviewed
    from cli.review.planned import Planned

app = typer.Typer()


@app.command()
def preview(
    environments: Annotated[
        list[str] | None, typer.Argument(metavar="ENV…", help="dev, staging, prod, …; one or more.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every environment that has settings.")] = False,
    base: Annotated[
        str, typer.Option(metavar="REF", help="The commit to compare with; needs no cluster and no passphrase.")
    ] = "",
    head: Annotated[str, typer.Option(metavar="REF", help="The commit to compare; by default the working tree.")] = "",
    mode: Annotated[
        Mode | None,
        typer.Option(help="hermetic: two commits; state: the last state; live: the cluster. By default live."),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="URN", help="Only this resource; can be repeated.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the plan, bound to all that it was made from, for `up --plan`."),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="With --save: how long the plan may be applied: 90m, 24h, 7d.")
    ] = "24h",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when there are changes.")] = False,
    as_json: AsJson = False,
    markdown: Annotated[str, typer.Option(metavar="FILE", help="Write a comment for a pull request (-: stdout).")] = "",
    html: Annotated[str, typer.Option(metavar="FILE", help="Write one page that works offline.")] = "",
    junit: Annotated[str, typer.Option(metavar="FILE", help="Write a test report: environments and policies.")] = "",
    sarif: Annotated[str, typer.Option(metavar="FILE", help="Write the policies' findings for code scanning.")] = "",
    max_bytes: Annotated[int, typer.Option(metavar="BYTES", help="The most that the comment may take.")] = 60_000,
    artifact: Annotated[
        str, typer.Option(metavar="NAME", help="Where the comment says that the rest can be found.")
    ] = "",
) -> None:
    """Show what an apply would change, by component, resource and field. Changes nothing.

    Example: turnout preview --all --base origin/main
    """
    from cli.context import project
    from cli.plans import saving
    from cli.progress import for_terminal
    from cli.report import publish
    from cli.review import asked, planned

    outputs = publish.Wanted(as_json, markdown, html, junit, sarif, max_bytes=max_bytes, artifact=artifact)
    publish.check(outputs)
    wanted = asked.Asked(tuple(environments or ()), every, mode, base, head, tuple(target or ()))
    root = project()
    order = saving.order(save, root, wanted, expires) if save else None
    plans, reviews = [], []
    for each in asked.plans(root, wanted, for_terminal(quiet=outputs.takes_stdout)):
        plans.append(each)
        reviews.append(planned.reviewed(each))
    if not outputs.files:
        _must_be_one(plans)
    publish.publish(reviews, outputs)
    if order:
        keep(order, reviews[0])
    answer(plans, reviews, exit_code=exit_code)


def show(review: Reviewed) -> None:
    """Put a judged plan on stdout, as a preview shows it."""
    from cli.report import publish

    publish.publish([review], publish.Wanted())


def keep(order: Order, review: Reviewed) -> None:
    """Save a plan that may be applied as it is; one that rules refuse may not. Without a plan, an earlier one stays."""
    from cli.plans import saving

    if review.failed:
        typer.echo(f"{order.file} was not saved: there is no plan", err=True)
    elif review.refused:
        typer.echo(f"{order.file} was not saved: what is refused cannot be applied", err=True)
    else:
        typer.echo(saving.save(order, review), err=True)


def answer(plans: Sequence[Planned], reviews: Sequence[Reviewed], *, exit_code: bool) -> None:
    """End with what the reviews come to: that of the first failure, else 4 for a broken rule, else 3 when asked for."""
    failures = [each.error.exit_code for each in plans if each.error is not None]
    if failures:
        raise typer.Exit(failures[0])
    if any(review.refused for review in reviews):
        raise typer.Exit(Refused.exit_code)
    if exit_code and any(not review.plan.empty for review in reviews):
        raise typer.Exit(CHANGES_PRESENT)


def _must_be_one(plans: Sequence[Planned]) -> None:
    """A single environment's failure is the command's own."""
    if len(plans) == 1 and plans[0].error is not None:
        raise plans[0].error
