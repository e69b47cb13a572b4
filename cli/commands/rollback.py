"""`turnout rollback`: bring the last good release back. Imports no pulumi and reads no program."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.driving import taker
from cli.commands.options import AsJson, Context, Environment, Kubeconfig, Reason, TakeOver, Wait, Yes
from cli.errors import Refused

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.goal import Rollback
    from cli.rollout.rollback import Now

app = typer.Typer()


@app.command()
def rollback(
    environment: Environment,
    to: Annotated[
        int | None, typer.Option(metavar="N", help="The release to go back to; else the last good one.")
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this service; can be repeated.")
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    wait: Wait = 0,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long workloads may take to come up.")] = 600,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Also restore fields that another controller owns now.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only say whether a rollback would be possible now, why not, or what is not known."
        ),
    ] = False,
    last: Annotated[int, typer.Option(min=1, help="With --check: how many releases to look at.")] = 3,
    cross: Annotated[
        bool, typer.Option("--cross", help="Go back over a migration that cannot be undone, too.")
    ] = False,
    take_over: TakeOver = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Bring the last good release back: its objects, its configuration, its secrets.

    Shows what will change and asks once. Needs a kubeconfig and nothing else: no state, no passphrase, no program.
    A rollout that is open is taken back. What made the release bad is pinned out until turnout unpin.

    Example: turnout rollback prod --reason "checkout returns errors"
    """
    from cli.errors import UsageError
    from cli.progress import for_terminal
    from cli.rollout import rollback as rolling
    from cli.rollout import show, where
    from cli.rollout.lock import environment_lock

    if check:
        _check(environment, last, kubeconfig, context, as_json=as_json)
        return
    if as_json and not yes:
        raise UsageError("--json asks no questions", next=f"turnout rollback {environment} --json --yes")
    progress = for_terminal(quiet=as_json)
    wish = _Wish(to, tuple(service or ()), force_conflicts, cross)
    with where.connect(environment, kubeconfig, context) as kube:
        root = where.own_checkout(kube, environment, kubeconfig, context)
        order = rolling.Order(_command(environment, wish), reason, root, force_conflicts, timeout)
        seen = rolling.look(kube, environment, to)
        with environment_lock(
            kube,
            environment,
            command=order.command,
            reason=reason,
            wait=wait,
            progress=progress,
            take_over=taker(take_over, ask=not yes),
        ) as held:
            wanted = _planned(kube, environment, wish, seen)
            if not as_json:
                typer.echo("\n".join(show.plan(wanted, kube.endpoint)))
            for text in show.warnings(wanted):
                typer.secho(f"warning: {text}", fg="yellow", err=True)
            if not yes:
                _ask(environment)
            if wanted.detour:
                rolling.take_back(kube, environment, order, held, progress)
                wanted = _planned(kube, environment, wish)
            ended = rolling.carry_out(kube, wanted, order, held, progress)
    typer.echo(json.dumps(wanted.to_json() | ended.to_json()) if as_json else "\n".join(show.done(environment, ended)))


def _check(environment: str, last: int, kubeconfig: Path | None, context: str | None, *, as_json: bool) -> None:
    """Exit 4 when a rollback without a number would be refused."""
    from cli.report import output
    from cli.rollout import possible, where

    with where.connect(environment, kubeconfig, context) as kube:
        answers = possible.ask(kube, environment, last, public=not where.is_sandbox(environment))
    if as_json:
        output.document([answer.to_json() for answer in answers])
    elif answers:
        typer.echo("\n".join(possible.lines(environment, answers)))
    else:
        typer.echo(possible.summary(answers))
    if not answers or not answers[0].possible:
        raise typer.Exit(Refused.exit_code)


@dataclass(frozen=True)
class _Wish:
    to: int | None
    services: tuple[str, ...]
    force: bool
    cross: bool


def _planned(kube: Kube, environment: str, wish: _Wish, seen: Now | None = None) -> Rollback:
    from cli.rollout import rollback as rolling

    wanted = rolling.prepare(kube, environment, wish.to, wish.services, seen=seen)
    rolling.must_be_possible(wanted, cross=wish.cross)
    rolling.check(kube, wanted, force=wish.force)
    return wanted


def _ask(environment: str) -> None:
    from cli.errors import Interrupted, UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to ask", why="stdin is not a terminal", next=f"turnout rollback {environment} --yes"
        )
    if not typer.confirm("Go back?", default=True):
        raise Interrupted(f"{environment} was not touched", next=f"turnout status {environment}")


def _command(environment: str, wish: _Wish) -> str:
    number = f" --to {wish.to}" if wish.to is not None else ""
    return f"turnout rollback {environment}{number}" + "".join(f" --service {name}" for name in wish.services)
