"""`turnout audit`: who did what to an environment, when, why, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Context, Environment, Kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.rollout.audit import Entry

app = typer.Typer()


@app.command()
def audit(
    environment: Environment,
    since: Annotated[
        str, typer.Option(metavar="LENGTH", help="Only what is no older: 90m, 24h, 7d; all that is kept by default.")
    ] = "",
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    as_json: AsJson = False,
) -> None:
    """List who did what to an environment, when, why, and how it ended. Newest first.

    Also what was overridden: a freeze, a lock, a pin. The cluster keeps the last 500 entries; Loki, where there is one,
    keeps them as the stream {job="turnout-audit"}.

    Example: turnout audit prod --since 24h
    """
    from cli.report import output
    from cli.rollout import audit as trail
    from cli.rollout import where
    from cli.rollout.logs import seconds

    age = seconds(since)
    with where.connect(environment, kubeconfig, context) as kube:
        found = trail.since(trail.entries(kube, environment), age)
    if as_json:
        output.document([entry.to_json() for entry in found])
    else:
        lines = [line for entry in found for line in _lines(entry)]
        when = f"in the last {since}" if since else "yet"
        typer.echo("\n".join(lines) or f"nothing was done to {environment} {when}")


def _lines(entry: Entry) -> Iterator[str]:
    release = f", release {entry.release}" if entry.release else ""
    yield f"{entry.when[:19]}Z  {entry.what}: {entry.outcome or 'no outcome'}{release}"
    git = f", commit {entry.git}" if entry.git else ""
    yield f"{' ' * 22}by {entry.who} ({entry.host}){git}"
    if entry.why:
        yield f"{' ' * 22}why: {entry.why}"
