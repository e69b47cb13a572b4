"""`turnout gate`: ask an environment's own objectives about a window of time, now or in the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Environment

if TYPE_CHECKING:
    from pathlib import Path

    from cli.gates.builtin import Gate

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
    at_least: Annotated[int, typer.Option(min=1, help="Events below which a gate has no data.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Ask every gate about one window, as a rollout would. Exit 1 when one fails; in prod also without data.

    Example: turnout gate test prod --at 2026-01-31T03:00:00Z --window 5m
    """
    from cli.context import project
    from cli.gates import asking
    from cli.gates.judge import worst
    from cli.gates.prometheus import Prometheus
    from cli.report import output
    from cli.rollout import logs, where

    tier, gates = _gates(project(), environment, service or [])
    seconds = logs.seconds(window, "--window") or 300
    with where.connect(environment) as kube:
        source = Prometheus(kube, environment)
        moment = _moment(at) if at else source.now()
        answers = asking.ask(source, gates, seconds, moment, at_least)
    verdict = worst([answer.judgement for answer in answers])
    if as_json:
        output.document({"verdict": verdict, "gates": [answer.to_json() for answer in answers]})
    else:
        typer.echo("\n".join([*asking.lines(answers), f"{environment}: {verdict}"]))
    if verdict == "fail" or (verdict == "no data" and tier == "prod"):
        raise typer.Exit(1)


def _gates(root: Path, environment: str, wanted: list[str]) -> tuple[str, list[Gate]]:
    """The environment's tier, and the gates of its services. Raises UsageError for a service that it has not."""
    from cli.engine.run import check_settings
    from cli.errors import UsageError
    from cli.gates import builtin

    settings = check_settings(root, environment)
    services = builtin.services(environment, settings.app.services, settings.app.workers)
    if unknown := sorted({*wanted} - {one.name for one in services}):
        known = ", ".join(one.name for one in services)
        raise UsageError(f"{environment} has no service {unknown[0]}", why=f"it has: {known}")
    chosen = [one for one in services if not wanted or one.name in wanted]
    gates = [gate for one in chosen for gate in builtin.gates(one, settings.prometheus.slos)]
    return settings.cluster.tier, gates


def _moment(text: str) -> float:
    from datetime import UTC, datetime

    from cli.errors import UsageError

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text} is no time", next="--at 2026-01-31T03:00:00Z") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
