"""`turnout env`: environments beside one another."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.options import AsJson
from cli.errors import CHANGES_PRESENT, UsageError

app = typer.Typer(no_args_is_help=True, help="Compare environments: their settings and what they come to.")


@app.callback()
def group() -> None:
    """Compare environments: their settings and what they come to."""


@app.command()
def diff(
    environments: Annotated[list[str], typer.Argument(metavar="ENV ENV…", help="Two or more.")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 when they differ in what nobody expects.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how environments differ, and whether they should.

    Settings with where each value comes from, then every object that they come to, without the environments' names and
    hashes. What tiers, sizes, clusters and releases bring stands apart. Needs no cluster and no passphrase.

    Example: turnout env diff staging prod
    """
    from cli.context import project
    from cli.progress import for_terminal
    from cli.report import output
    from cli.validate.parity import compare, show

    if len(set(environments)) < 2:
        raise UsageError("there is nothing to compare with", next="turnout env diff staging prod")
    with for_terminal(quiet=as_json).step("rendering"):
        found = compare.parity(project(), list(dict.fromkeys(environments)))
    if as_json:
        output.document(found.to_json())
    else:
        output.lines(show.lines(found))
    if exit_code and found.unexpected:
        raise typer.Exit(CHANGES_PRESENT)
