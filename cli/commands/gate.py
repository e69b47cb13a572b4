"""`turnout gate`: ask an environment's own objectives about a window of time, now or in the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.commands.options import AsJson, Environment

if TYPE_CHECKING:
    from cli.gates.answers import Answer
    from infra.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Ask whether a release keeps its promises: pass, fail or no data.")


@app.callback()
def _group() -> None:
    """A group, also while it has one command."""


@app.command()
def test(
    environment: Environment,
    service: Annotated[list[str] | None, typer.Option(help="Only this one; can be repeated.")] = None,
    at: Annotated[str, typer.Option(metavar="TIME", help="The window's end, as 2026-01-31T03:00:00Z; else now.")] = "",
    window: Annotated[str, typer.Option(metavar="TIME", help="How long it is: 90s, 15m, 2h.")] = "5m",
    track: Annotated[
        Literal["a", "b"] | None,
        typer.Option(help="Only this track's pods, beside the other's where settings compare."),
    ] = None,
    at_least: Annotated[int | None, typer.Option(min=1, help="Events below which a gate has no data.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask every gate about one window, as a rollout would. Exit 1 when one fails; in prod also without data.

    About the past (--at), requests and commands are left out: they cannot be asked any more.

    Example: turnout gate test prod --at 2026-01-31T03:00:00Z --window 5m
    """
    from cli.context import project
    from cli.engine.run import check_settings
    from cli.gates.answers import told, worst
    from cli.report import output

    settings = check_settings(project(), environment)
    answers = _asked(settings, _chosen(settings, service or []), at, window, track, at_least)
    verdict = worst(answers)
    if as_json:
        output.document({"verdict": verdict, "gates": [answer.to_json() for answer in answers]})
    else:
        typer.echo("\n".join([*told(answers), f"{environment}: {verdict}"]))
    if verdict == "fail" or (verdict == "no data" and settings.cluster.tier == "prod"):
        raise typer.Exit(1)


def _asked(
    settings: Settings, services: list[str], at: str, window: str, track: str | None, at_least: int | None
) -> list[Answer]:
    import time
    from contextlib import closing

    from cli.gates import watching
    from cli.gates.samples import Span
    from cli.rollout import logs, where

    until = _moment(at) if at else time.time()
    span = Span(until - (logs.seconds(window, "--window") or 300), until)
    kind = watching.Recorded if at else watching.Sources
    with where.connect(settings.environment) as kube, closing(kind(kube, settings.environment)) as sources:
        return [
            answer
            for service in services
            for answer in watching.replay(sources, watching.wanted(settings, service, at_least), service, track, span)
        ]


def _chosen(settings: Settings, wanted: list[str]) -> list[str]:
    """The services and workers asked for, else all. Raises UsageError for one that the environment has not."""
    from cli.errors import UsageError

    known = [*settings.app.services, *settings.app.workers]
    if unknown := sorted({*wanted} - {*known}):
        why = f"it has: {', '.join(known)}"
        raise UsageError(f"{settings.environment} has no service {unknown[0]}", why=why)
    return [name for name in known if not wanted or name in wanted]


def _moment(text: str) -> float:
    from datetime import UTC, datetime

    from cli.errors import UsageError

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text} is no time", next="--at 2026-01-31T03:00:00Z") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
