"""`turnout drift`: what in the cluster is no longer as it was last applied, who changed it, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.options import AsJson, Environment, OverrideFreeze, Reason, TakeOver, Wait, Yes
from cli.errors import CHANGES_PRESENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cli.drift.model import Drifted, Report
    from cli.errors import TurnoutError
    from cli.yamlfile import YamlFile

app = typer.Typer()


@app.command()
def drift(
    environment: Environment,
    address: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ADDRESS]...", help="Only these: Kind/namespace/name, Kind/name, app/api, a URN."),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 when there is drift, 1 when that is not known.")
    ] = False,
    revert: Annotated[bool, typer.Option("--revert", help="Put back what was declared; nothing else.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Write what is there now into the settings file, where a setting says it.")
    ] = False,
    ignore: Annotated[
        bool, typer.Option("--ignore", help="Write into the settings file that it is passed over for a while.")
    ] = False,
    owner: Annotated[str, typer.Option(metavar="NAME", help="With --ignore: who answers for it.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="With --ignore: the last day, 2027-06-30 or 14d.")] = "",
    alert: Annotated[
        bool, typer.Option("--alert", help="Raise the alert ConfigDrift in the environment's Alertmanager, or end it.")
    ] = False,
    every: Annotated[
        str, typer.Option(metavar="LENGTH", help="With --alert: how often this is run: 15m, 1h, 1d.")
    ] = "1h",
    reason: Reason = "",
    yes: Yes = False,
    wait: Wait = 0,
    take_over: TakeOver = False,
    override_freeze: OverrideFreeze = "",
    as_json: AsJson = False,
) -> None:
    """Show what others changed since the last apply, and who.

    Field by field: what was applied, what is there now, who wrote it and when; deleted objects; and, for your
    information, objects that nobody declared. What a rollout or an autoscaler moves is no drift.

    Example: turnout drift prod --exit-code
    """
    _must_be_one(revert=revert, adopt=adopt, ignore=ignore, alert=alert)
    ask = _Ask(environment, tuple(address or ()), reason, yes, as_json)
    if revert:
        _revert(ask, wait, override_freeze, take_over=take_over)
    elif ignore:
        _ignore(ask, owner, until)
    elif adopt:
        _adopt(ask)
    if revert or ignore or adopt:
        return
    found = _raise_alert(ask, every) if alert else _look(ask)
    if exit_code and found.drifted:
        raise typer.Exit(CHANGES_PRESENT)
    if found.unknown and (exit_code or alert):
        raise _not_known(found)


@dataclass(frozen=True)
class _Ask:
    environment: str
    addresses: tuple[str, ...]
    reason: str
    yes: bool
    as_json: bool


def _must_be_one(**chosen: bool) -> None:
    from cli.errors import UsageError

    both = [f"--{name}" for name, wanted in chosen.items() if wanted]
    if len(both) > 1:
        raise UsageError(f"{' and '.join(both)} exclude each other", next=f"only {both[0]}, say")


def _look(ask: _Ask) -> Report:
    from cli.drift import choosing

    report = choosing.only(_found(ask), ask.addresses)
    _show(report, as_json=ask.as_json)
    return report


def _found(ask: _Ask) -> Report:
    from cli.context import project
    from cli.drift import looking
    from cli.rollout import where

    with where.connect(ask.environment) as kube:
        return looking.look(kube, project(), ask.environment)[0]


def _raise_alert(ask: _Ask, every: str) -> Report:
    from datetime import UTC, datetime, timedelta

    from cli.context import project
    from cli.drift import alerting, looking
    from cli.engine.run import check_settings
    from cli.errors import UsageError
    from cli.rollout import where
    from cli.rollout.logs import seconds

    between = timedelta(seconds=seconds(every, "--every") or 0)
    if between < timedelta(minutes=1):
        raise UsageError(f"--every {every or '(nothing)'} is less than a minute", next="--every 1h")
    root, environment = project(), ask.environment
    settings = check_settings(root, environment)
    with where.connect(environment) as kube:
        report, _ = looking.look(kube, root, environment)
        made = alerting.alert(report, settings.tier, between, datetime.now(UTC), settings.prometheus.runbooks)
        if not report.unknown:
            alerting.post(kube, environment, made)
    _show(report, as_json=ask.as_json)
    if not ask.as_json:
        done = "neither raised nor ended" if report.unknown else "raised" if report.drifted else "ended"
        typer.echo(f"alert {alerting.NAME}: {done}")
    return report


def _not_known(report: Report) -> TurnoutError:
    from cli.errors import TurnoutError

    return TurnoutError(
        f"{report.environment}: {report.summary}",
        why="; ".join(report.notes),
        next="give whoever runs this the role viewer: docs/access.md",
    )


def _ignore(ask: _Ask, owner: str, until: str) -> None:
    from cli.commands.driving import must_be_able_to_ask
    from cli.context import project
    from cli.drift import passer

    command = f"turnout drift {ask.environment} --ignore"
    expires = passer.must_be_whole(command, ask.reason, owner, until)
    must_be_able_to_ask(command, yes=ask.yes, as_json=ask.as_json)
    report = _found(ask)
    file = passer.ignored(project(), report, ask.addresses, reason=ask.reason, owner=owner, expires=expires)
    _save(ask, file, f"turnout drift {ask.environment}")


def _adopt(ask: _Ask) -> None:
    from cli.commands.driving import must_be_able_to_ask
    from cli.context import project
    from cli.drift import adopter, looking
    from cli.rollout import where

    command = f"turnout drift {ask.environment} --adopt"
    must_be_able_to_ask(command, yes=ask.yes, as_json=ask.as_json)
    with where.connect(ask.environment) as kube:
        report, looked = looking.look(kube, project(), ask.environment)
    made = adopter.adoption(project(), report, looked, ask.addresses)
    if not ask.as_json:
        typer.echo("\n".join([*made.lines(), ""]))
    _save(ask, made.file, f"turnout preview {ask.environment}", made.to_json())


def _save(ask: _Ask, file: YamlFile, next: str, more: Mapping[str, Any] | None = None) -> None:
    """Show what changes in the settings file, ask, and write it."""
    from cli.errors import Interrupted
    from cli.report import output

    changed = file.diff()
    if ask.as_json:
        output.document({"file": file.path.name, "diff": changed, **(more or {})})
    else:
        typer.echo("\n".join(changed) or f"{file.path.name} stays as it is")
    if not changed:
        return
    if not ask.yes and not typer.confirm(f"Write {file.path.name}?", default=True):
        raise Interrupted(f"{file.path.name} was not touched")
    file.save()
    if not ask.as_json:
        typer.echo(f"next: {next}, then commit {file.path.name}")


def _revert(ask: _Ask, wait: float, override: str, *, take_over: bool) -> None:
    from cli.commands.driving import Order, driving, must_be_able_to_ask
    from cli.drift import remedy
    from cli.report import output

    command = f"turnout drift {ask.environment} --revert{''.join(f' {one}' for one in ask.addresses)}"
    must_be_able_to_ask(command, yes=ask.yes, as_json=ask.as_json)
    order = Order(ask.environment, command, ask.reason, wait, ask.as_json, not ask.yes, override, take_over)
    with driving(order) as work:
        done = remedy.revert(work, command, ask.addresses, ask.reason, lambda *found: _agreed(ask, *found))
    if ask.as_json:
        output.document({"environment": ask.environment, "reverted": done})
    else:
        typer.echo("\n".join([f"put back {one}" for one in done] or ["nothing to put back"]))
        typer.echo(f"next: turnout status {ask.environment}")


def _agreed(ask: _Ask, report: Report, wanted: Sequence[Drifted]) -> bool:
    from dataclasses import replace

    from cli.errors import Interrupted

    if ask.as_json:
        return True
    _show(replace(report, objects=tuple(wanted), strangers=()), as_json=False)
    if not ask.yes and not typer.confirm(f"Put {len(wanted)} back as declared?", default=False):
        raise Interrupted(f"{ask.environment} was not touched")
    return True


def _show(report: Report, *, as_json: bool) -> None:
    from cli.drift import show
    from cli.report import output

    if as_json:
        output.document(report.to_json())
    else:
        output.lines(show.lines(report))
