"""Writes the reference pages from the code that they are about: `python -m cli.reference`.

docs/access.md comes from the table of rights, docs/commands.md from the commands' own help, docs/policies.md from the
rules, docs/risks.md from the risks, docs/settings.md from the settings model and its tiers' defaults, docs/schema from
what `--json` prints.
A test holds the pages against the code.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli import reference_access, reference_policies, reference_risks, reference_settings
from cli.errors import CODES
from cli.main import COMMANDS
from cli.report import schema

HIDDEN = {"help", "install_completion", "show_completion"}

COMMANDS_HEAD = """\
# Commands

Written from the commands' own help by `python -m cli.reference`; do not edit.

Every command that works on one environment takes it as its first argument. All print one JSON document on stdout under
`--json`, and show their progress on stderr: live on a terminal, as plain lines elsewhere. `NO_COLOR` is respected.

`turnout -C DIR COMMAND …` works on the project in DIR. `turnout --install-completion` sets up shell completion.

## Exit codes

| Code | Meaning |
|---|---|
"""


def pages() -> dict[str, str]:
    """Every reference page by its path in the repository."""
    return {
        "docs/access.md": reference_access.page(),
        "docs/commands.md": commands_page(),
        "docs/policies.md": reference_policies.page(),
        "docs/risks.md": reference_risks.page(),
        schema.PATH: json.dumps(schema.schema(), indent=2) + "\n",
        "docs/settings.md": reference_settings.page(),
    }


def _codes() -> str:
    return "".join(f"| {code} | {meaning} |\n" for code, meaning in CODES.items())


def commands_page() -> str:
    """docs/commands.md."""
    shown = (line for path, command in commands() for line in _command(path, command))
    return "\n".join([COMMANDS_HEAD + _codes(), *shown])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its path: `sandbox up`."""
    import typer.main

    for name, (module, _) in COMMANDS.items():
        found = importlib.import_module(f"cli.commands.{module}")
        yield from _leaves(name, typer.main.get_command(found.app))


def _leaves(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, child in command.commands.items():
        yield from _leaves(f"{path} {name}", child)


def _command(path: str, command: Any) -> Iterator[str]:
    parameters = [one for one in command.params if one.name not in HIDDEN and not getattr(one, "hidden", False)]
    yield f"## turnout {path}\n"
    yield f"{_text(command)}\n"
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    yield f"    turnout {' '.join([path, *map(_argument, arguments), *(['[OPTIONS]'] if options else [])])}\n"
    if options:
        yield from ("| Option | Meaning |", "|---|---|", *map(_option, options), "")


def _text(command: Any) -> str:
    return inspect.cleandoc(command.help or "").replace("\f", "")


def _argument(one: Any) -> str:
    name = (one.metavar or one.name).strip("[]{}").upper()
    return str(name) if one.required else f"[{name}]"


def _option(one: Any) -> str:
    value = "" if one.is_flag else f" {one.metavar or one.name.upper().strip('_')}"
    default = one.default if isinstance(one.default, str | int | float) and not isinstance(one.default, bool) else None
    shown = (
        f" Default: {default:g}." if isinstance(default, int | float) else f" Default: {default}." if default else ""
    )
    return f"| `{', '.join(sorted(one.opts, key=len, reverse=True))}{value}` | {(one.help or '').strip()}{shown} |"


def stale(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """The pages that do not say what the code says."""
    return [path for path, text in wanted.items() if not (root / path).exists() or (root / path).read_text() != text]


def main() -> int:
    """Write what is stale."""
    root = Path(__file__).resolve().parent.parent
    wanted = pages()
    for path in stale(root, wanted):
        (root / path).write_text(wanted[path])
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
