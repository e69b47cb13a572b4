"""`turnout releases`: the numbered releases of an environment, what is in one, and how two differ."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.options import AsJson, Context, Environment, Kubeconfig, Yes

app = typer.Typer(no_args_is_help=True, help="List releases, look into one, compare two. Needs a kubeconfig only.")


@app.command("list")
def list_(
    environment: Environment,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """List the kept releases, newest first.

    A rollback can go to any of them.

    Example: turnout releases list prod
    """
    from cli.report import output
    from cli.rollout import catalogue, releases, where

    with where.connect(environment, kubeconfig, context) as kube:
        book = releases.load(kube, environment)
    rows = list(reversed(book.releases))[:limit]
    if as_json:
        output.document([catalogue.row(book, release) for release in rows])
    else:
        typer.echo("\n".join(catalogue.table(book, rows)) or f"{environment} has no release yet")


@app.command()
def show(
    environment: Environment,
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="By default the current one.")] = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Show one release: its workloads with their images, and its configuration.

    Example: turnout releases show prod 41
    """
    from cli.report import output
    from cli.rollout import catalogue, records, releases, where

    with where.connect(environment, kubeconfig, context) as kube:
        book = releases.load(kube, environment)
        release = catalogue.chosen(book, environment, number)
        record = records.fetch(kube, environment, release.record)
    if as_json:
        output.document(catalogue.row(book, release) | record.to_json())
    else:
        typer.echo("\n".join(catalogue.described(book, release, record)))


@app.command()
def diff(
    environment: Environment,
    older: Annotated[int | None, typer.Argument(metavar="[N]", help="By default the one before the newer.")] = None,
    newer: Annotated[int | None, typer.Argument(metavar="[M]", help="By default the current one.")] = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Show what release M has otherwise than release N.

    Object by object and field by field.

    Example: turnout releases diff prod 40 41
    """
    from cli.report import output
    from cli.rollout import catalogue, contrast, records, releases, where

    with where.connect(environment, kubeconfig, context) as kube:
        book = releases.load(kube, environment)
        after = catalogue.chosen(book, environment, newer)
        before = catalogue.chosen(book, environment, older if older is not None else catalogue.before(book, after))
        found = contrast.between(*(records.fetch(kube, environment, one.record) for one in (before, after)))
    if as_json:
        output.document({"older": before.number, "newer": after.number, "objects": [one.to_json() for one in found]})
    else:
        typer.echo("\n".join(catalogue.contrasted(before, after, found)))


@app.command()
def prune(
    environment: Environment,
    keep: Annotated[int, typer.Option(min=2, help="How many releases stay, newest first.")] = 20,
    yes: Yes = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Drop old releases, with the configuration that only they need.

    What runs and what a rollback would go to always stays.

    Example: turnout releases prune prod --keep 10
    """
    from cli.commands.driving import must_be_able_to_ask
    from cli.errors import Interrupted
    from cli.report import output
    from cli.rollout import audit, catalogue, releases, where
    from cli.rollout.lock import environment_lock

    command = f"turnout releases prune {environment}"
    must_be_able_to_ask(command, yes=yes, as_json=as_json)
    with (
        where.connect(environment, kubeconfig, context) as kube,
        environment_lock(kube, environment, command=command) as held,
    ):
        book = releases.load(kube, environment)
        dropped = book.beyond(keep)
        if not as_json:
            typer.echo("\n".join(catalogue.table(book, dropped)) or f"{environment} keeps no more than {keep} releases")
        if dropped and not yes and not typer.confirm("Drop these?", default=False):
            raise Interrupted(f"{environment} was not touched")
        held.check()
        deleted = releases.drop(kube, environment, dropped)
        if dropped:
            audit.write(kube, environment, audit.entry(kube, f"{command} --keep {keep}", outcome="done"))
    if as_json:
        output.document({"dropped": [release.number for release in dropped], "deleted": deleted})
    else:
        typer.echo(f"{len(dropped)} releases dropped, {len(deleted)} objects deleted")
