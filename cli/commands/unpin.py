"""`turnout unpin`: let a release in again that a rollback pinned out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Context, Environment, Kubeconfig, Reason

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.pins import Pin

app = typer.Typer()


@app.command()
def unpin(
    environment: Environment,
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="The pin to lift; by default the newest.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Only list what is pinned out, by whom and why.")] = False,
    reason: Reason = "",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Let in again what a rollback pinned out: the last one, or pin N.

    Example: turnout unpin prod 41 --reason "the database was slow, not the release"
    """
    from cli.report import output
    from cli.rollout import pins, where

    with where.connect(environment, kubeconfig, context) as kube:
        known = pins.read(kube, environment).pins
        found = list(known) if show else _lifted(kube, environment, known, number, reason)
    if as_json:
        output.document([pin.to_json() for pin in found])
    else:
        typer.echo("\n".join(_listed(environment, found) if show else [f"lifted {pin}" for pin in found]))


def _lifted(kube: Kube, environment: str, known: tuple[Pin, ...], number: int | None, reason: str) -> list[Pin]:
    from cli.rollout import audit, pins

    chosen = number if number is not None else max((pin.number for pin in known), default=None)
    found = pins.lift(kube, environment, chosen) if chosen is not None else []
    if not found:
        raise _no_such(environment, number, known)
    done = audit.entry(kube, f"turnout unpin {environment} {chosen}", why=reason, outcome="done")
    audit.write(kube, environment, done)
    return found


def _listed(environment: str, found: list[Pin]) -> list[str]:
    if not found:
        return [f"nothing is pinned out of {environment}"]
    return [*map(str, found), f"next: turnout unpin {environment} N lets one in again"]


def _no_such(environment: str, number: int | None, known: tuple[Pin, ...]) -> Exception:
    from cli.errors import UsageError

    numbers = ", ".join(sorted({str(pin.number) for pin in known})) or "none"
    which = "no pin" if number is None else f"no pin {number}"
    return UsageError(f"{environment} has {which}", why=f"pins: {numbers}", next=f"turnout unpin {environment} --list")
