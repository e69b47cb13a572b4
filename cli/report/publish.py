"""Puts reviews where they were asked for: files, and one of them on stdout, or the terminal's view."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cli.errors import TurnoutError, UsageError
from cli.review.model import Reviewed

STDOUT = "-"
MARKDOWN_BYTES = 60_000
"""GitHub takes 65,536 characters in a comment; what a workflow adds of its own has room beside it."""
_LEAST_BYTES = 2_000


@dataclass(frozen=True)
class Wanted:
    """Which outputs: each the name of a file, or `-` for stdout, or empty. `max_bytes` bounds the Markdown.

    `artifact`: what the Markdown calls the place where the rest can be found.
    """

    as_json: bool = False
    markdown: str = ""
    html: str = ""
    junit: str = ""
    sarif: str = ""
    max_bytes: int = MARKDOWN_BYTES
    artifact: str = ""

    @property
    def files(self) -> dict[str, str]:
        """The asked-for outputs by the option's name."""
        given = {"markdown": self.markdown, "html": self.html, "junit": self.junit, "sarif": self.sarif}
        return {name: place for name, place in given.items() if place}

    @property
    def takes_stdout(self) -> bool:
        """Whether stdout is for a machine or a file, not for people."""
        return self.as_json or STDOUT in self.files.values()


def check(wanted: Wanted) -> None:
    """Refuse what cannot be done before anything is done. Raises UsageError."""
    on_stdout = [f"--{name}" for name, place in wanted.files.items() if place == STDOUT]
    on_stdout += ["--json"] if wanted.as_json else []
    if len(on_stdout) > 1:
        raise UsageError(
            f"{' and '.join(on_stdout)} cannot both be on stdout",
            why="each is a whole document",
            next="give all but one of them a file",
        )
    if wanted.max_bytes < _LEAST_BYTES:
        raise UsageError(
            f"--max-bytes {wanted.max_bytes} is too little",
            why="the risk of each environment has to fit",
            next=f"give {_LEAST_BYTES} or more",
        )
    for name, place in wanted.files.items():
        if place != STDOUT and not Path(place).absolute().parent.is_dir():
            folder = Path(place).absolute().parent
            raise UsageError(
                f"--{name} {place} cannot be written", why=f"{folder} is no folder", next=f"mkdir -p {folder}"
            )


def publish(reviews: Sequence[Reviewed], wanted: Wanted) -> None:
    """Write all that is wanted. Raises TurnoutError where a file cannot be written."""
    for place, text in _documents(reviews, wanted):
        put(place, text)
    if not wanted.takes_stdout:
        from cli.report import output, review_text

        output.lines(review_text.lines(reviews))


def _documents(reviews: Sequence[Reviewed], wanted: Wanted) -> Iterator[tuple[str, str]]:
    if wanted.as_json:
        yield STDOUT, as_json(reviews)
    for name, place in wanted.files.items():
        yield place, _maker(name, wanted)(reviews)


def as_json(reviews: Sequence[Reviewed]) -> str:
    """The JSON document as text, in ASCII: so nothing in it can act on a terminal."""
    from cli.report import document

    return json.dumps(document.of(reviews), indent=2) + "\n"


def _maker(name: str, wanted: Wanted) -> Callable[[Sequence[Reviewed]], str]:
    return partial({"markdown": _markdown, "html": _html, "junit": _junit, "sarif": _sarif}[name], wanted)


def _markdown(wanted: Wanted, reviews: Sequence[Reviewed]) -> str:
    from cli.report import markdown

    return markdown.document(reviews, wanted.max_bytes, wanted.artifact)


def _html(_: Wanted, reviews: Sequence[Reviewed]) -> str:
    from cli.report import page

    return page.document(reviews)


def _junit(_: Wanted, reviews: Sequence[Reviewed]) -> str:
    from cli.report import junit
    from cli.report.masking import masked

    return junit.text(masked(reviews))


def _sarif(_: Wanted, reviews: Sequence[Reviewed]) -> str:
    from cli.report import sarif
    from cli.report.masking import masked

    return sarif.text(masked(reviews))


def put(place: str, text: str) -> None:
    """Write a text into a file, or on stdout (`-`). Raises TurnoutError where it cannot be."""
    if place == STDOUT:
        sys.stdout.write(text)
        return
    try:
        Path(place).write_text(text, encoding="utf-8")
    except OSError as error:
        raise TurnoutError(f"{place} could not be written", why=str(error), next="give another file") from error
