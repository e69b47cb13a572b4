"""The documentation says what is so: commands, settings, links, make targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import reference
from cli.main import COMMANDS
from components import versions

ROOT = Path(__file__).resolve().parents[3]
FENCE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CALLED = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?turnout(?: -C \S+)? ([a-z][a-z ]*[a-z])")
TARGET = re.compile(r"\bmake ([a-z0-9]+)")


def pages() -> list[Path]:
    folders = [ROOT, ROOT / "docs", ROOT / "runbooks", ROOT / "examples" / "agents"]
    return sorted(page for folder in folders for page in folder.glob("*.md"))


def each(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for page in pages():
        for found in pattern.findall(page.read_text()):
            yield str(page.relative_to(ROOT)), found


def known_paths() -> set[str]:
    return {path for path, _ in reference.commands()} | set(COMMANDS)


def test_reference_pages_are_written_from_the_code() -> None:
    assert reference.stale(ROOT, reference.pages()) == [], "run: python -m cli.reference"


def test_every_command_has_help_with_an_example() -> None:
    lacking = [path for path, command in reference.commands() if f"Example: turnout {path}" not in (command.help or "")]
    kubeconfig = [path for path in lacking if path == "sandbox kubeconfig"]
    assert lacking == kubeconfig


def test_every_option_has_help() -> None:
    lacking = [
        f"{path} {one.opts[0]}"
        for path, command in reference.commands()
        for one in command.params
        if one.param_type_name == "option" and one.name not in reference.HIDDEN and not one.help
    ]
    assert lacking == []


def test_commands_that_pages_name_exist() -> None:
    known = known_paths()
    unknown = [(page, words) for page, words in each(CALLED) if not _names_a_command(words, known)]
    assert unknown == []


def _names_a_command(words: str, known: set[str]) -> bool:
    """In running text other words may follow, and `turnout` also is the product's name."""
    first, *rest = words.split()
    if first not in {path.split()[0] for path in known}:
        return first not in COMMANDS_LIKE
    deeper = {path.split()[1] for path in known if path.startswith(f"{first} ")}
    return not deeper or not rest or rest[0] in deeper


COMMANDS_LIKE = {"deploy", "apply", "diff", "undo", "resume", "repair", "unpin", "pin", "lock", "unlock", "release"}
"""Words that would be commands if they stood after `turnout`, and are none."""


def test_make_targets_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    plain = {"sure", "it", "a", "the", "no", "up", "its", "what", "them"}
    assert {(page, name) for page, name in each(TARGET) if name not in targets | plain} == set()


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    links = LINK.findall(FENCE.sub("", page.read_text()))
    broken = [link for link in links if not link.startswith(("http://", "https://")) and not _resolves(page, link)]
    assert broken == []


def _resolves(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    to = (page.parent / path) if path else page
    return to.exists() and (not anchor or anchor in _anchors(to))


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_name_the_versions_that_are_built() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()
    for version in (versions.KUBERNETES, versions.PULUMI_ENGINE):
        assert version in text


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []


def test_operation_runbooks_say_which_command_to_run() -> None:
    for name in ("roll-back", "broken-rollout", "lock-left-behind"):
        assert "turnout " in (ROOT / "runbooks" / f"{name}.md").read_text()
