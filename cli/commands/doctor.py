"""`turnout doctor`: check this machine and an environment, and say how to mend what is amiss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Context, Kubeconfig

if TYPE_CHECKING:
    from cli.rollout.checks import Check

app = typer.Typer()

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "red")}


@app.command()
def doctor(
    environment: Annotated[str | None, typer.Argument(metavar="[ENV]", help="Also check this environment.")] = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Check this machine, and an environment, and say how to mend what is amiss. Changes nothing.

    Exit 1 when something is wrong; a warning is no fault.

    Example: turnout doctor dev
    """
    found = _checks(environment, kubeconfig, context)
    if as_json:
        typer.echo(json.dumps([check.to_json() for check in found]))
    else:
        _show(found)
    if any(check.verdict == "wrong" for check in found):
        raise typer.Exit(1)


def _checks(environment: str | None, kubeconfig: Path | None, context: str | None) -> list[Check]:
    from cli.rollout import checks, where

    found = checks.machine()
    if environment is None:
        return found
    root = where.checkout(environment)
    if root is not None:
        found += checks.project(root, environment)
    return [*found, *checks.cluster(environment, kubeconfig, context)]


def _show(found: list[Check]) -> None:
    import os

    width = max(len(check.name) for check in found)
    for check in found:
        mark, colour = _MARKS[check.verdict]
        shown = None if "NO_COLOR" in os.environ or check.verdict == "ok" else colour
        typer.secho(f"{mark} {check.name.ljust(width)}  {check.found}", fg=shown)
        if check.fix and check.verdict != "ok":
            typer.echo(f"  {' ' * width}  next: {check.fix}")
