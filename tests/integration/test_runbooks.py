"""Runbooks at three in the morning: what they say to type is typed, against a real environment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import COMMAND, ROOT
from tests.integration.stage import Stage, staged
from tests.unit.docs.test_commands_named import BLOCK, COMMANDS, INLINE, typed

pytestmark = pytest.mark.cluster

PAGES = sorted(
    page for page in (ROOT / "runbooks").glob("*.md") if page.stem[0].islower() and page.stem != "interrupted-up"
)
HERE = {"WORKLOAD": "web", "SERVICE": "web", "api": "web"}
WRONG = ("Usage: ", "Traceback")
"""What a command says that cannot be typed like that, or that crashes."""


@pytest.fixture(scope="module")
def stage(kubeconfig: Path) -> Iterator[Stage]:
    with staged(kubeconfig) as made:
        made.release("one")
        made.release("two")
        yield made


def test_the_page_about_rolling_back_brings_the_release_back(stage: Stage, tmp_path: Path) -> None:
    first, *_ = BLOCK.findall((ROOT / "runbooks" / "roll-back.md").read_text())
    words = without_checkout(first, stage)
    assert words[0] == "rollback"
    done = run(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert stage.variables()["VERSION"] == "one"


def test_what_pages_say_to_type_says_what_is_next(stage: Stage, tmp_path: Path) -> None:
    """Each command once, whichever pages name it."""
    lines = {line: page.name for page in PAGES for line in lines_of(page)}
    typed_here = {(page, line): words for line, page in lines.items() if (words := without_checkout(line, stage))}
    ended = {place: wrong(words, tmp_path) for place, words in typed_here.items()}
    assert len(ended) > 5
    assert {place: why for place, why in ended.items() if why} == {}


def lines_of(page: Path) -> list[str]:
    return [*BLOCK.findall(page.read_text()), *INLINE.findall(page.read_text())]


def without_checkout(line: str, stage: Stage) -> list[str]:
    """The words of a command that a kubeconfig suffices for; none for any other, or for a mere name."""
    words = [HERE.get(word, "1" if word.isdigit() else word) for word in typed(line)]
    path = next((path for path in (" ".join(words[:2]), *words[:1]) if path in COMMANDS), "")
    options = {one.name for one in COMMANDS[path].params} if path else set()
    if "kubeconfig" not in options or "prod" not in words or path == "rollout watch":
        return []
    kept = [stage.name if word == "prod" else word for word in words]
    if "--kubeconfig" in kept:
        at = kept.index("--kubeconfig")
        del kept[at : at + 2]
    return [*kept, *(["--yes"] if "yes" in options else []), "--kubeconfig", str(stage.kubeconfig)]


def wrong(words: list[str], folder: Path) -> str:
    """What is wrong with how the command ended; empty where nothing is."""
    done = run(words, folder)
    helped = done.returncode == 0 or "next: " in done.stderr or path_is_a_question(words)
    if helped and not any(text in done.stderr for text in WRONG):
        return ""
    return f"exit {done.returncode}: {done.stdout}{done.stderr}"


def path_is_a_question(words: list[str]) -> bool:
    """Whose exit code is an answer."""
    return words[0] in ("gate", "doctor", "status") or "--check" in words


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
