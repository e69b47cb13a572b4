"""`turnout rollout`: move the app to the release that the settings describe, watch it, take it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from cli.commands import viewing
from cli.commands.driving import Order, driving, must_be_able_to_ask
from cli.commands.options import (
    AsJson,
    Context,
    Environment,
    Kubeconfig,
    OverrideFreeze,
    PlanFile,
    Reason,
    TakeOver,
    Wait,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cli.plans.binding import Bound
    from cli.review.model import Reviewed
    from cli.rollout.drive import Rolled
    from cli.rollout.site import Site
    from cli.rollout.starting import Prepared
    from cli.rollout.step import Strategy
    from cli.rollout.targets import Wish

app = typer.Typer(no_args_is_help=True, help="Move the app to its next release, step by step.")
app.command()(viewing.status)
app.command()(viewing.watch)

Detach = Annotated[
    bool, typer.Option("--detach", help="End where a person is waited for; `turnout rollout resume` goes on.")
]


@app.command()
def start(
    environment: Environment,
    plan: PlanFile = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="rolling, blue-green or canary, instead of the settings'.")
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Whom --strategy is for; can be repeated. All by default.")
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Short for --strategy rolling.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask the real entries all along, and fail at the first dropped request.")
    ] = False,
    probe_url: Annotated[str, typer.Option(metavar="URL", help="What to probe, where it is not found by itself.")] = "",
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show the plan and ask first.")] = False,
    detach: Detach = False,
    wait: Wait = 0,
    take_over: TakeOver = False,
    override_freeze: OverrideFreeze = "",
    as_json: AsJson = False,
) -> None:
    """Roll to the release that the settings describe.

    It shows the plan and the steps and asks once; `--yes` does without, and so does `--plan` with what `turnout preview
    ENV --save FILE` saved: exit 9 where that is no longer what would be done. A rollout that fails is taken back by
    itself, at the first certain sign: a crash loop, a missing image, a failed gate, a dropped probe, the deadline.
    Exit 6: rolled back; 7: the rollback failed too.

    Example: turnout rollout start prod --strategy canary --probe --reason "agents 1.3.0"
    """
    from cli.rollout import starting

    command = f"turnout rollout start {environment}"
    wish = _wish(command, strategy, service, in_place=in_place)
    bound = _bound(plan, environment, command)
    agreed = yes or bound is not None
    must_be_able_to_ask(command, yes=agreed, as_json=as_json)
    probed = probe or bool(probe_url)
    asked = starting.Start(
        command, reason, wish, probed, probe_url, detach, agree=None if agreed else _agreed, plan=bound
    )
    order = Order(environment, command, reason, wait, as_json, not agreed, override_freeze, take_over, bound)
    with _site(order) as site:
        _must_be_there(site, wish.services)
        rolled = starting.start(site, asked)
    _say(environment, rolled, as_json=as_json)


@app.command()
def resume(
    environment: Environment,
    detach: Detach = False,
    wait: Wait = 0,
    take_over: TakeOver = False,
    override_freeze: OverrideFreeze = "",
    as_json: AsJson = False,
) -> None:
    """Go on with a rollout that is paused, or whose process is gone.

    From any checkout of the commit and settings that it began with. One that is being taken back goes no other way:
    exit 2, and `turnout rollback` ends it.

    Example: turnout rollout resume prod
    """
    from cli.rollout import asking, freezing, starting, where

    command = f"turnout rollout resume {environment}"
    with where.connect(environment) as kube:
        window = freezing.must_be_open(where.checkout(environment), environment, command, override_freeze)
        said = asking.ask(kube, environment, "resume")
        if said and window:
            freezing.overridden(kube, environment, window, command, override_freeze)
    if said and not take_over:
        return typer.echo(json.dumps({"environment": environment, "outcome": said}) if as_json else said)
    order = Order(environment, command, "", wait, as_json, False, override_freeze, take_over)
    with _site(order) as site:
        rolled = starting.resume(site, command, detach=detach)
    return _say(environment, rolled, as_json=as_json)


@app.command()
def pause(
    environment: Environment, kubeconfig: Kubeconfig = None, context: Context = None, as_json: AsJson = False
) -> None:
    """Have the rollout stop after the step under way.

    Traffic stays where it is, and is still watched.

    Example: turnout rollout pause prod
    """
    _ask(environment, "pause", kubeconfig, context, as_json)


@app.command()
def advance(
    environment: Environment,
    override_freeze: OverrideFreeze = "",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """Skip what is left of the soak or the pause under way; at another step there is nothing to skip.

    A failed gate or a missing approval is not skipped. The gates look once more before a soak ends; where no data fails
    (prod), it ends as soon as none of them is without data.

    Example: turnout rollout advance staging
    """
    from cli.rollout import freezing, where

    command = f"turnout rollout advance {environment}"
    window = freezing.must_be_open(where.checkout(environment), environment, command, override_freeze)
    if window:
        with where.connect(environment, kubeconfig, context) as kube:
            freezing.overridden(kube, environment, window, command, override_freeze)
    _ask(environment, "advance", kubeconfig, context, as_json)


@app.command()
def abort(
    environment: Environment,
    reason: Reason = "",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """End the rollout under way and take it back, from any terminal.

    The tracks that served before it serve again. The process that drives it is asked to see to that; when that one is
    dead, it is done here. Exit 7: taking it back failed; 1: the rollout was done first.

    Example: turnout rollout abort dev --reason "wrong version"
    """
    from cli.progress import for_terminal
    from cli.rollout import abort as aborting
    from cli.rollout import where

    progress = for_terminal(quiet=as_json)
    with where.connect(environment, kubeconfig, context) as kube:
        root = where.own_checkout(kube, environment, kubeconfig, context)
        said = aborting.abort(kube, environment, progress, reason=reason, root=root)
    typer.echo(json.dumps({"environment": environment, "outcome": said}) if as_json else said)


def _bound(file: Path | None, environment: str, command: str) -> Bound | None:
    """The plan that was asked for: whole, of this environment, and of all of it."""
    from cli.plans import binding

    if file is None:
        return None
    bound = binding.load(file, environment)
    binding.must_be_whole(bound, command)
    return bound


@contextmanager
def _site(order: Order) -> Iterator[Site]:
    """What a rollout works with, while the environment is held."""
    from cli.context import project
    from cli.engine.run import check_settings
    from cli.rollout.site import Site

    settings = check_settings(project(), order.environment)
    with driving(order) as work:
        yield Site(work.kube, work.engine, work.held, work.progress, settings)


def _wish(command: str, strategy: str | None, services: list[str] | None, *, in_place: bool) -> Wish:
    from cli.errors import UsageError
    from cli.rollout.targets import Wish

    if in_place and strategy not in (None, "rolling"):
        raise UsageError("--in-place is --strategy rolling", why=f"--strategy {strategy} was given, too")
    chosen = _strategy("rolling" if in_place else strategy)
    if services and chosen is None:
        raise UsageError(
            "--service says whom --strategy is for: a rollout moves everything that changed",
            next=f"{command}, or with --strategy NAME",
        )
    return Wish(chosen, tuple(services or ()))


def _strategy(name: str | None) -> Strategy | None:
    from cli.errors import UsageError

    if name not in (None, "rolling", "blue-green", "canary"):
        raise UsageError(f"there is no strategy {name}", why="there are: rolling, blue-green, canary")
    return cast("Strategy | None", name)


def _must_be_there(site: Site, services: tuple[str, ...]) -> None:
    from cli.errors import UsageError

    known = site.settings.app.services
    if strangers := [name for name in services if name not in known]:
        raise UsageError(
            f"{site.environment} has no service {', '.join(strangers)}", why=f"there are: {', '.join(sorted(known))}"
        )


def _ask(
    environment: str, what: Literal["pause", "advance"], kubeconfig: Path | None, context: str | None, as_json: bool
) -> None:
    from cli.rollout import asking, where

    with where.connect(environment, kubeconfig, context) as kube:
        said = asking.must_ask(kube, environment, what)
    typer.echo(json.dumps({"environment": environment, "outcome": said}) if as_json else said)


def _agreed(prepared: Prepared, reviewed: Reviewed) -> bool:
    from cli.commands import preview
    from cli.rollout.show import steps

    preview.show(reviewed)
    for line in steps(prepared):
        typer.echo(line)
    return typer.confirm("Roll this out?", default=True)


def _say(environment: str, rolled: Rolled, *, as_json: bool) -> None:
    typer.echo(json.dumps(rolled.to_json()) if as_json else _said(environment, rolled))


def _said(environment: str, rolled: Rolled) -> str:
    if rolled.waits:
        ways = f"turnout rollout resume {environment}, or go back: turnout rollout abort {environment}"
        return f"{environment}: the rollout waits for {rolled.waits}\nnext: {ways}"
    if rolled.id == "":
        return f"{environment}: nothing to roll out, the settings describe what runs"
    release = f"release {rolled.release.number}" if rolled.release else "the release"
    done = f"{environment} serves {release}: {rolled.changes} changes in {rolled.seconds:.1f} s"
    return f"{done}{_probed(rolled.probe)}\nnext: turnout status {environment}"


def _probed(counts: dict[str, int] | None) -> str:
    if counts is None:
        return ""
    dropped = f"{counts['failed']} of them" if counts["failed"] else "none was"
    return f"; {counts['sent']} requests probed, {dropped} dropped"
