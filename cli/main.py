"""The `turnout` command: registers the commands and turns errors into text and exit codes.

Commands are imported when they are called, so that `turnout --help` and `turnout rollback` start at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from cli import context, streams
from cli.errors import Interrupted, TurnoutError
from cli.interrupts import as_keyboard_interrupt, leave_with

# name: (module under cli.commands, one line for the overview)
COMMANDS = {
    "init": ("init", "Write the secrets that an environment needs into its settings"),
    "validate": ("validate", "Check the settings of all environments: no cluster needed"),
    "env": ("env", "Compare environments: their settings and what they come to"),
    "preview": ("preview", "Show what an apply would change"),
    "up": ("up", "Apply the settings to an environment"),
    "rollout": ("rollout", "Move the app to its next release, step by step"),
    "approve": ("approve", "Let a rollout go on that somebody else started"),
    "rollback": ("rollback", "Bring the last good release back"),
    "unpin": ("unpin", "Let a release in again that a rollback pinned out"),
    "promote": ("promote", "Put what one environment runs into the settings of another"),
    "releases": ("releases", "List releases, look into one, compare two"),
    "status": ("status", "Show each service with its health and why it is not healthy"),
    "policy": ("policy", "List the policies, and report how environments keep them"),
    "drift": ("drift", "Show what others changed since the last apply, and who"),
    "gate": ("gate", "Ask whether a release keeps its promises: pass, fail or no data"),
    "logs": ("logs", "Show the log of a workload"),
    "history": ("history", "List what was applied, by whom and why"),
    "audit": ("audit", "List who did what, when, why, and how it ended"),
    "refresh": ("refresh", "Read the cluster's state back into the stack"),
    "repair": ("repair", "Settle what a killed run left behind, by what the cluster holds"),
    "state": ("state", "Look at an environment's state, restore an earlier one, move it"),
    "destroy": ("destroy", "Delete an environment"),
    "doctor": ("doctor", "Check this machine and an environment; say how to mend them"),
    "sandbox": ("sandbox", "Run a real Kubernetes on this machine"),
}

SECTIONS = {
    "Release": ("init", "validate", "env", "preview", "up", "rollout", "approve", "rollback", "unpin", "promote"),
    "Look": ("status", "drift", "releases", "gate", "policy", "logs", "history", "audit", "doctor"),
    "Mend": ("repair", "refresh", "state", "destroy"),
    "Practise": ("sandbox",),
}

_OF_THE_ROOT = ("install_completion", "show_completion")
_TYPERS_INTERRUPT = 130
"""What typer makes of a KeyboardInterrupt in a command."""


class Lazy(TyperGroup):
    """A group whose commands are imported when called; the overview needs names and summaries only."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        return list(COMMANDS)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names if name in COMMANDS])

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, summary = COMMANDS[cmd_name]
        return TyperCommand(cmd_name, help=summary) if _overview_wanted() else _load(cmd_name, module)


app = typer.Typer(cls=Lazy, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def root(
    folder: Annotated[Path | None, typer.Option("-C", metavar="DIR", help="Work on the project in DIR.")] = None,
) -> None:
    """Preview, roll out and roll back Pulumi environments.

    Example: turnout preview dev
    """
    context.choose(folder)


def main() -> None:
    """Run the command line; errors become three lines on stderr and a documented exit code."""
    streams.outlast_readers()
    with as_keyboard_interrupt():
        try:
            code = _run()
            if code == Interrupted.exit_code:
                _end_at_once()
        except KeyboardInterrupt:
            # Asked again, while the first asking was being told.
            _end_at_once()
    sys.exit(code)


def _run() -> str | int | None:
    try:
        app()
    except TurnoutError as error:
        typer.secho(f"turnout: {_harmless(str(error))}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as ended:
        return _interrupted() if ended.code == _TYPERS_INTERRUPT else ended.code
    return 0


def _harmless(text: str) -> str:
    """An error's words may be those of a program, a server or a file."""
    from cli.report import hiding, plain

    return plain.visible(hiding.message(text), keep="\n\t")


def _interrupted() -> int:
    typer.echo("turnout: interrupted", err=True)
    return Interrupted.exit_code


def _end_at_once() -> NoReturn:
    """Without waiting for threads: one of them may run a program that sleeps."""
    leave_with(Interrupted.exit_code)
    with suppress(OSError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(Interrupted.exit_code)


def _overview_wanted() -> bool:
    return "_TURNOUT_COMPLETE" not in os.environ and not any(word in COMMANDS for word in sys.argv[1:])


def _load(name: str, module: str) -> Any:
    found = importlib.import_module(f"cli.commands.{module}").app
    found.rich_markup_mode = None
    command = typer.main.get_command(found)
    command.name = name
    command.params = [one for one in command.params if one.name not in _OF_THE_ROOT]
    return command


if __name__ == "__main__":
    main()
