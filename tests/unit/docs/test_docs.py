"""The documentation says what is so: commands, settings, links, make targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import reference
from cli.main import COMMANDS, SECTIONS
from cli.sandbox import parts
from components import versions

ROOT = Path(__file__).resolve().parents[3]
FENCE = re.compile(r"```.*?```", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^ {4,}\S.*$|`[^`\n]+`", re.MULTILINE)
CALLED = re.compile(r"(?<![\w./:-])(?:\.venv/bin/)?turnout(?: -C \S+)? ([a-z]+(?: [a-z]+)?)\b(?!\.)")
LINE = re.compile(r"(?:^ {4,}|\.venv/bin/|\$\(BIN\)/)turnout(?: -C \S+)? ([a-z][^#|`\n]*)", re.MULTILINE)
TARGET = re.compile(r"\bmake ([a-z0-9]+)")


def pages() -> list[Path]:
    folders = [ROOT, ROOT / "docs", ROOT / "runbooks", ROOT / "examples" / "agents"]
    return sorted(page for folder in folders for page in folder.glob("*.md"))


def each(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for page in pages():
        for found in pattern.findall(page.read_text()):
            yield str(page.relative_to(ROOT)), found


def test_reference_pages_are_written_from_the_code() -> None:
    assert reference.stale(ROOT, reference.pages()) == [], "run: python -m cli.reference"


def test_every_command_has_help_with_an_example() -> None:
    lacking = [path for path, command in reference.commands() if f"Example: turnout {path}" not in (command.help or "")]
    kubeconfig = [path for path in lacking if path == "sandbox kubeconfig"]
    assert lacking == kubeconfig, "its example is an export"


def test_every_option_has_help() -> None:
    lacking = [
        f"{path} {one.opts[0]}"
        for path, command in reference.commands()
        for one in command.params
        if one.param_type_name == "option" and one.name not in reference.HIDDEN and not one.help
    ]
    assert lacking == []


def test_every_command_has_its_place_in_the_overview() -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(COMMANDS)


def test_commands_that_pages_name_exist() -> None:
    known = {path for path, _ in reference.commands()}
    assert [(page, words) for page, words in called() if not _names_a_command(words.split(), known)] == []


def test_options_that_pages_and_the_makefile_use_exist() -> None:
    options = {path: {name for one in command.params for name in one.opts} for path, command in reference.commands()}
    wrong = []
    for page in [ROOT / "Makefile", *pages()]:
        for line in (found.split() for found in LINE.findall(page.read_text())):
            path = next((path for path in (" ".join(line[:2]), line[0]) if path in options), "")
            unknown = {word.split("=")[0] for word in line if re.match(r"--?[a-z]", word)} - options.get(path, set())
            wrong += [(page.name, " ".join(line), option) for option in unknown - {"-C"}]
    assert wrong == []


def called() -> Iterator[tuple[str, str]]:
    for page, code in each(CODE):
        for words in CALLED.findall(code.strip("`")):
            yield page, words


def _names_a_command(words: list[str], known: set[str]) -> bool:
    groups = {path.split()[0] for path in known if " " in path}
    return (" ".join(words) if words[0] in groups and len(words) > 1 else words[0]) in known | groups


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


def test_performance_names_every_part_with_what_it_costs() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()
    rows = [f"| {part.name} | {part.usual_seconds:.0f} s |" for part in parts.PARTS]
    assert [row for row in rows if row not in text] == []
    assert versions.KUBERNETES in text and versions.PULUMI_ENGINE in text


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []


def test_operation_runbooks_say_which_command_to_run() -> None:
    pages = [page for page in (ROOT / "runbooks").glob("*.md") if page.stem[0].islower()]
    assert len(pages) >= 9
    for text in (page.read_text() for page in pages):
        assert "**When:**" in text
        assert re.search(r"^    turnout ", text, re.MULTILINE)
