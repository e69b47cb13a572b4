"""`turnout policy`: which rules there are, what one is about, and how environments keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson
from cli.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.review.policy_report import Kept
    from infra.policies import Rule

app = typer.Typer(no_args_is_help=True, help="List the policies, look into one, report how environments keep them.")


@app.command()
def report(
    environments: Annotated[
        list[str] | None, typer.Argument(metavar="[ENV]…", help="dev, staging, prod, …; by default every one.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every environment that has settings.")] = False,
    as_json: AsJson = False,
    sarif: Annotated[str, typer.Option(metavar="FILE", help="Write SARIF 2.1.0 for code scanning (-: stdout).")] = "",
    junit: Annotated[str, typer.Option(metavar="FILE", help="Write JUnit XML (-: stdout).")] = "",
) -> None:
    """Report how environments keep the policies: no cluster needed.

    Each rule with its level and how many objects keep it, break it, are excepted. Exit 4 when an apply would be
    refused. Changes nothing.

    Example: turnout policy report prod --sarif policies.sarif
    """
    from cli.context import project
    from cli.progress import for_terminal
    from cli.review import policy_report, scope

    root = project()
    _must_fit_on_stdout(as_json=as_json, sarif=sarif, junit=junit)
    names = scope.environments(root, environments or (), every=every or not environments)
    found = []
    with for_terminal(quiet=as_json or "-" in (sarif, junit)).step("rendering") as step:
        for name in names:
            step.update(name)
            found.append(policy_report.of(root, name))
    _publish(found, as_json=as_json, sarif=sarif, junit=junit)
    if any(each.failed for each in found):
        raise typer.Exit(UsageError.exit_code)
    if any(each.refused for each in found):
        raise typer.Exit(Refused.exit_code)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the policies with their levels in each tier.

    Example: turnout policy list
    """
    from cli.report import output, policy_text
    from infra.policies import RULES

    if as_json:
        output.document([_row(rule) for rule in RULES])
    else:
        output.lines(policy_text.listed())


@app.command()
def show(rule: Annotated[str, typer.Argument(metavar="RULE")], as_json: AsJson = False) -> None:
    """Show one policy: why, what instead, what it supports.

    Also what breaks it and what keeps it, as patches of a small sound app.

    Example: turnout policy show read-only-root
    """
    from cli.report import output, policy_text
    from infra.policies import fixtures

    found = _known(rule)
    fixture = fixtures.of(found.id)
    if as_json:
        output.document(_row(found) | {"fails": list(fixture.fails), "passes": list(fixture.passes)})
    else:
        output.lines(policy_text.shown(found, fixture.text))


def _known(name: str) -> Rule:
    from cli.errors import UsageError
    from infra.faults import nearest
    from infra.policies import BY_ID

    if name not in BY_ID:
        raise UsageError(f"there is no policy {name}{nearest(name, BY_ID)}", next="turnout policy list")
    return BY_ID[name]


def _row(rule: Rule) -> dict[str, object]:
    from components.environment import TIERS

    levels = {tier: rule.levels.of(tier) for tier in TIERS}
    supports = [{"framework": each.framework, "control": each.control} for each in rule.supports]
    return {"rule": rule.id, "why": rule.why, "remedy": rule.remedy, "levels": levels, "supports": supports}


def _must_fit_on_stdout(*, as_json: bool, sarif: str, junit: str) -> None:
    from cli.errors import UsageError

    on_stdout = {"--json": as_json, "--sarif -": sarif == "-", "--junit -": junit == "-"}
    asked = [name for name, there in on_stdout.items() if there]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} cannot both be on stdout", next="give all but one of them a file")


def _publish(found: Sequence[Kept], *, as_json: bool, sarif: str, junit: str) -> None:
    from cli.report import junit as as_junit
    from cli.report import output, policy_text, publish
    from cli.report import sarif as as_sarif
    from cli.review import policy_report

    reviews = [each.reviewed() for each in found]
    if sarif:
        publish.put(sarif, as_sarif.text(reviews))
    if junit:
        publish.put(junit, as_junit.text(reviews))
    if as_json:
        output.document(policy_report.document(found))
    elif "-" not in (sarif, junit):
        output.lines(policy_text.report(found))
