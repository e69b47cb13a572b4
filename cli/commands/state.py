"""`turnout state`: look at an environment's state and its copies, restore one, keep it elsewhere."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import AsJson, Environment, Reason, Wait
from cli.errors import CHANGES_PRESENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.engine.locks import Lock
    from cli.engine.store.move import Plan
    from cli.engine.store.place import Place
    from cli.engine.store.verify import Problem
    from cli.kube.client import Kube
    from cli.yamlfile import YamlFile

app = typer.Typer(no_args_is_help=True, help="Look at an environment's state, restore an earlier one, move it.")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


@app.command("list")
def list_(environment: Environment, as_json: AsJson = False) -> None:
    """List the copies of the state: the current one, the one before it, and the backups, newest first.

    Example: turnout state list dev
    """
    from datetime import UTC, datetime

    from cli.engine.store import copies
    from cli.report import output

    found = copies.every(_place(environment))
    if as_json:
        output.document([copy.to_json() for copy in found])
        return
    rows = [("copy", "taken", "by", "resources", "state"), *(copy.cells(datetime.now(UTC)) for copy in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        typer.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]))


@app.command()
def verify(environment: Environment, as_json: AsJson = False) -> None:
    """Check that the engine can go on from the state: its layout, its resources, that its secrets open. Exit 1 if not.

    Example: turnout state verify dev
    """
    from cli.engine.store.verify import whole
    from cli.report import output

    place = _place(environment)
    key, data = place.read_current()
    found = place.examine(data)
    problems = [*place.surroundings(key), *found.problems]
    if as_json:
        document = {"environment": environment, "whole": whole(problems), "resources": found.resources}
        output.document(document | {"key": key, "problems": [problem.to_json() for problem in problems]})
    else:
        for problem in problems:
            typer.secho(f"{'✗' if problem.fatal else '!'} {problem.text}", fg="red" if problem.fatal else "yellow")
        typer.echo(_verdict(environment, found.resources, problems))
    if not whole(problems):
        raise typer.Exit(1)


@app.command()
def restore(
    environment: Environment,
    source: Annotated[
        str, typer.Option("--from", metavar="COPY", help="A number or `bak` of `state list`, or a file.")
    ] = "",
    reason: Reason = "",
    yes: Yes = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Put an earlier copy of the state in the place of the current one, which becomes a backup first.

    By default the newest whole copy that is not the current state. Shows what the state would know again and what no
    longer, and asks once; where nobody can be asked it only shows (exit 3). The cluster is not touched.

    Example: turnout state restore dev --from 3
    """
    from cli.engine.store import restore as restoring
    from cli.report import output

    place = _place(environment)
    wanted = restoring.prepare(place, source)
    if not as_json:
        typer.echo("\n".join([f"{environment}: restore the state", *wanted.lines()]))
    if wanted.empty:
        typer.echo("that is the current state already", err=True)
        raise typer.Exit(0)
    acting = _agreed(environment, "Restore it?", yes=yes, as_json=as_json)
    backup = ""
    if acting:
        command = f"turnout state restore {environment}{f' --from {source}' if source else ''}"
        with _held(environment, command, reason, wait):
            backup = restoring.carry_out(place, wanted)
    if as_json:
        output.document({"environment": environment, "restored": acting, "backup": backup} | wanted.to_json())
    elif acting:
        kept = f"; what was there is backup {backup.rpartition('/')[2]}" if backup else ""
        typer.echo(f"restored the state of {environment}{kept}")
        typer.echo(f"next: turnout refresh {environment} (reads what the cluster holds), turnout preview {environment}")
    if not acting:
        raise typer.Exit(CHANGES_PRESENT)


@app.command()
def prune(
    environment: Environment,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete backups and history beyond what is kept. Every successful run does so by itself.

    Kept are the newest 60 backups and all younger than 14 days, never the last whole one gone; of the history, the
    newest 1,000 entries and all younger than a year.

    Example: turnout state prune dev
    """
    from cli.engine.store import pruning
    from cli.report import output

    place = _place(environment)
    found = pruning.prune(place, dry_run=True)
    count = len(found.backups) + len(found.history)
    if not as_json:
        typer.echo(
            f"{environment}: {len(found.backups)} backups and {len(found.history)} files of the history to delete"
            f" ({found.freed / 1e6:.1f} MB), {found.kept} backups stay"
        )
    acting = bool(count) and _agreed(environment, "Delete them?", yes=yes, as_json=as_json)
    if acting:
        found = pruning.prune(place)
    if as_json:
        output.document({"environment": environment, "pruned": acting} | found.to_json())
    if count and not acting:
        raise typer.Exit(CHANGES_PRESENT)


@app.command()
def move(
    url: Annotated[str, typer.Argument(metavar="URL", help="s3://, gs://, azblob://, file:// or https://.")],
    reason: Reason = "",
    yes: Yes = False,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Keep the state elsewhere: of every environment of the project, since they share one backend.

    State, secrets, tags, backups and history are copied under every lock, read back and compared; then Pulumi.yaml
    names the new place. The old one is left as it is. An interrupted move changes nothing. Where nobody can be asked
    it only shows (exit 3).

    Example: turnout state move "s3://acme-state/shop?region=eu-central-1"
    """
    from cli.context import project
    from cli.engine import environ
    from cli.engine.store import move as moving
    from cli.report import output

    root = project()
    _backend_must_be_the_projects()
    plan = moving.prepare(root, url, environ.variables(root, dict(os.environ)))
    file, changed = _switched(root, url)
    if not as_json:
        typer.echo("\n".join([*plan.lines(), *changed]))
    acting = _agreed("the project", "Move it?", yes=yes, as_json=as_json)
    if acting:
        _move(plan, reason, wait, quiet=as_json, may_ask=not yes)
        file.save()
    if as_json:
        output.document({"moved": acting, "change": changed} | plan.to_json())
    elif acting:
        typer.echo(f"moved: commit Pulumi.yaml; the old state in {moving.plain(plan.before)} is no longer read")
        typer.echo(f"next: turnout preview {plan.environments[0]}")
    if not acting:
        raise typer.Exit(CHANGES_PRESENT)


def _move(plan: Plan, reason: str, wait: float, *, quiet: bool, may_ask: bool) -> None:
    """Copy under the locks of all environments, then have the engine itself read every state in the new place."""
    from contextlib import ExitStack

    from cli.engine.store import move as moving
    from cli.engine.store import service
    from cli.progress import for_terminal

    progress = for_terminal(quiet=quiet)
    with ExitStack() as stack:
        for environment in plan.environments:
            stack.enter_context(_held(environment, f"turnout state move {moving.plain(plan.url)}", reason, wait))
        stack.enter_context(moving.locked(plan, _may_be_removed if may_ask else None))
        with progress.step(f"copying the state to {moving.plain(plan.url)}") as step:
            moving.carry_out(plan, step.update)
        for part in plan.parts:
            there = service.Elsewhere(part.source.root, part.environment, plan.url, os.environ, progress)
            with progress.step(f"reading {part.environment} in the new place"):
                service.arrive(part.source, there, copied=part.target is not None)


def _may_be_removed(lock: Lock) -> bool:
    typer.echo(f"The state is still locked by {lock.who}, which is gone: {lock.file}")
    return typer.confirm("Remove that lock?", default=False)


def _backend_must_be_the_projects() -> None:
    from cli.engine import environ
    from cli.errors import UsageError

    if os.environ.get(environ.BACKEND):
        raise UsageError(
            f"{environ.BACKEND} is set, and wins over what Pulumi.yaml says",
            next=f"unset {environ.BACKEND}, with its value as backend.url in Pulumi.yaml; then move",
        )


def _switched(root: Path, url: str) -> tuple[YamlFile, list[str]]:
    """Pulumi.yaml with the new backend, not yet written, and what that changes in it."""
    from cli.yamlfile import YamlFile, put

    file = YamlFile(root / "Pulumi.yaml")
    put(file.document, ("backend", "url"), url)
    return file, file.diff()


def _place(environment: str) -> Place:
    from cli.context import project
    from cli.engine import environ
    from cli.engine.store import place

    root = project()
    return place.of(root, environment, environ.variables(root, dict(os.environ)))


def _agreed(environment: str, question: str, *, yes: bool, as_json: bool) -> bool:
    """Whether to go on; False where nobody can be asked. Raises Interrupted for a no."""
    from cli.errors import Interrupted

    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        return False
    if not typer.confirm(question, default=True):
        raise Interrupted(f"{environment} was not touched")
    return True


@contextmanager
def _held(environment: str, command: str, reason: str, wait: float) -> Iterator[Kube]:
    """The environment's lock, and an entry of the audit trail that says how it ended."""
    from dataclasses import replace

    from cli.errors import TurnoutError
    from cli.progress import for_terminal
    from cli.rollout import audit, where
    from cli.rollout.lock import environment_lock

    progress = for_terminal(quiet=False)
    with (
        where.connect(environment) as kube,
        environment_lock(kube, environment, command=command, reason=reason, wait=wait, progress=progress),
    ):
        entry, result = audit.entry(kube, command, why=reason), "interrupted"
        try:
            yield kube
            result = "done"
        except TurnoutError as error:
            result = f"failed: {error.what}"
            raise
        finally:
            audit.write(kube, environment, replace(entry, outcome=result))


def _verdict(environment: str, resources: int, problems: list[Problem]) -> str:
    if any(problem.fatal for problem in problems):
        return f"the state of {environment} is broken\nnext: turnout state restore {environment}"
    if problems:
        return f"the state of {environment} is whole: {resources} resources\nnext: turnout repair {environment}"
    return f"the state of {environment} is whole: {resources} resources"
