"""`turnout validate`: whether the settings are right, consistent, and each said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Reason
from cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from cli.validate.model import Report

app = typer.Typer()


@app.command()
def validate(
    environments: Annotated[
        list[str] | None, typer.Argument(metavar="[ENV]…", help="Only what concerns these; all by default.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors too.")] = False,
    accept: Annotated[
        str, typer.Option(metavar="FACT", help="Agree in SSOT_LOCK.yml to another source, or a copy, of this fact.")
    ] = "",
    at: Annotated[str, typer.Option(metavar="PLACE", help="With --accept: FILE#WHERE, as a finding names it.")] = "",
    reason: Reason = "",
    owner: Annotated[str, typer.Option(metavar="WHO", help="With --accept: who answers for it.")] = "",
    live: Annotated[
        str, typer.Option(metavar="ENV", help="Also compare what runs in this environment's cluster with its settings.")
    ] = "",
    sarif: Annotated[str, typer.Option(metavar="FILE", help="Write the findings as SARIF; - is stdout.")] = "",
    junit: Annotated[str, typer.Option(metavar="FILE", help="Write the findings as JUnit XML; - is stdout.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check the settings of all environments: no cluster needed.

    Exit 2 when something is wrong, 0 when there are only warnings and notes (see --strict). Changes nothing, but for
    SSOT_LOCK.yml with --accept.

    Example: turnout validate
    """
    from cli.context import project
    from cli.report import output
    from cli.validate import checks, text

    root = project()
    if accept:
        _accept(root, accept, at, reason, owner)
        return
    report = checks.validate(root, _known(environments or [], root))
    if live:
        report = _with_live(root, report, live)
    written = _write(report, sarif, junit, strict=strict)
    if as_json:
        output.document(report.to_json())
    elif not written:
        output.lines(text.lines(report, strict=strict))
    if report.fails(strict=strict):
        raise typer.Exit(UsageError.exit_code)


def _with_live(root: Path, report: Report, environment: str) -> Report:
    from dataclasses import replace

    from cli.validate import checks, live

    found = sorted((*report.findings, *live.check(root, environment)), key=checks.rank)
    return replace(report, findings=tuple(found))


def _write(report: Report, sarif: str, junit: str, *, strict: bool) -> bool:
    """Write what is asked for; whether stdout is taken by it."""
    if not (sarif or junit):
        return False
    from pathlib import Path

    from cli.validate import formats

    texts = ((sarif, formats.sarif(report)), (junit, formats.junit(report, strict=strict)))
    for name, text in texts:
        if name == "-":
            typer.echo(text, nl=False)
        elif name:
            Path(name).write_text(text, encoding="utf-8")
    return "-" in (sarif, junit)


def _accept(root: Path, fact: str, at: str, reason: str, owner: str) -> None:
    from datetime import UTC, datetime

    from cli.validate.ssot.accept import Agreement
    from cli.validate.ssot.accept import accept as agree

    typer.echo(agree(root, Agreement(fact, at, reason, owner), datetime.now(UTC).date()))


def _known(wanted: list[str], root: Path) -> list[str]:
    from cli.validate.project import names

    known = names(root)
    for name in wanted:
        if name not in known:
            why = f"Pulumi.{name}.yaml does not exist"
            raise UsageError(f"there is no environment {name}", why=why, next=f"use one of: {', '.join(known)}")
    return wanted
