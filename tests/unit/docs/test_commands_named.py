"""Commands that pages, help and messages name can be typed as they stand: they exist, and take these options."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import reference

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    page
    for folder in (ROOT, ROOT / "docs", ROOT / "runbooks", ROOT / "examples" / "agents")
    for page in sorted(folder.glob("*.md"))
    if page.name != "commands.md"  # it shows usage, and is written from the code
]
SOURCES = sorted(page for folder in ("cli", "infra", "components") for page in (ROOT / folder).rglob("*.py"))
BLOCK = re.compile(r"^ {4,}(?:\S*/)?(turnout [a-z].*)$", re.MULTILINE)
INLINE = re.compile(r"`(turnout [a-z][^`\n]*)`")
SAID = re.compile(r"turnout [a-z](?:[^,;:()\n]|:(?! ))*")
WRONG_USE: Any = typer.BadParameter.__base__
HOLES = {"N": "1", "M": "2", "SECONDS": "5", "TIME": "5m", "[N]": "1"}
"""What stands for a value of a type that is checked."""
COMMANDS: dict[str, Any] = dict(reference.commands())
GROUPS = {path.split()[0] for path in COMMANDS if " " in path}


def typed(line: str) -> list[str]:
    """The words after `turnout`, as a shell would pass them; what belongs to the shell or to the reader is cut off."""
    line = re.split(r"\s[|#>&]|\s{3,}|[;,.:)]+$", line)[0]
    words = shlex.split(line.replace("…", "x"))[1:]
    if words[:1] == ["-C"]:
        words = words[2:]
    return [HOLES.get(word, word) for word in words]


def wrong(line: str) -> str:
    """Why the command cannot be typed like that; empty where it can."""
    words = typed(line)
    path = next((path for path in (" ".join(words[:2]), *words[:1]) if path in COMMANDS), None)
    if path is None:
        group = words[0] in GROUPS and (len(words) == 1 or not re.fullmatch("[a-z]+", words[1]))
        return "" if group else "there is no such command"
    arguments = words[len(path.split()) :]
    try:
        COMMANDS[path].make_context(path, [*arguments, *_missing(path, arguments)])
    except typer.Exit:
        return ""
    except WRONG_USE as error:
        return str(error.format_message())
    return ""


def _missing(path: str, given: list[str]) -> list[str]:
    """A command named without anything after it is named, not typed."""
    needed = [one for one in COMMANDS[path].params if one.param_type_name == "argument" and one.required]
    return ["1"] * len(needed) if not given or given[0].startswith("-") else []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_can_be_typed(page: Path) -> None:
    text = page.read_text()
    named = [*BLOCK.findall(text), *INLINE.findall(text)]
    assert {line: why for line in named if (why := wrong(line))} == {}


def test_examples_of_help_can_be_typed() -> None:
    examples = {path: re.findall(r"Example: (turnout .*)", command.help or "") for path, command in COMMANDS.items()}
    assert {line: why for lines in examples.values() for line in lines if (why := wrong(line))} == {}


def test_commands_that_messages_send_people_to_can_be_typed() -> None:
    said = {(str(source.relative_to(ROOT)), line) for source in SOURCES for line in _sent_to(source)}
    assert len(said) > 50
    assert {place: why for place in sorted(said) if (why := wrong(place[1]))} == {}


def _sent_to(source: Path) -> Iterator[str]:
    """The commands in what an error says under `next`, and in what functions of that name return."""
    for node in ast.walk(ast.parse(source.read_text())):
        named = (isinstance(node, ast.keyword) and node.arg == "next") or (
            isinstance(node, ast.FunctionDef) and node.name.strip("_").startswith("next")
        )
        for text in _texts(node) if named else ():
            yield from (line.strip() for line in SAID.findall(text))


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every piece of text below, with `1` where a value is put in."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("turnout nonsense prod", "no such command"),
        ("turnout rollout nonsense prod", "no such command"),
        ("turnout rollback prod --nonsense", "No such option"),
        ("turnout releases diff prod N M nonsense", "unexpected extra argument"),
        ("turnout rollback prod --reason", "requires an argument"),
        ("turnout logs prod", "Missing argument"),
    ],
)
def test_a_wrong_one_is_told(line: str, told: str) -> None:
    assert told in wrong(line)
