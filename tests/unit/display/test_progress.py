"""A display that can no longer be written ends nothing, and replaces no error of the work that it shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

import pytest
from rich.console import Console

from cli.progress import Lines, Live, Progress


class Stopped(BaseException):
    """What ends the work, as an interruption does."""


def shown(progress: Progress, error: BaseException | None = None) -> str:
    """Work with everything that a display shows; how it ended."""
    try:
        with progress.step("rolling out", usually=3) as outer, progress.step("api") as inner:
            progress.note("one line")
            inner.update("2 of 3 ready")
            outer.update("waiting")
            if error:
                raise error
    except Stopped:
        return "stopped"
    return "done"


@pytest.mark.parametrize(("error", "expected"), [(None, "done"), (Stopped(), "stopped")])
def test_lines_that_nobody_reads_end_nothing(unread: TextIO, error: BaseException | None, expected: str) -> None:
    assert shown(Lines(unread), error) == expected


@pytest.mark.parametrize(("error", "expected"), [(None, "done"), (Stopped(), "stopped")])
def test_a_live_display_without_its_terminal_ends_nothing(
    unread: TextIO, error: BaseException | None, expected: str
) -> None:
    progress = Live(Console(file=unread, force_terminal=True, width=100, height=40))
    with progress.showing(lambda: "the screen"):
        assert shown(progress, error) == expected


def test_a_display_whose_stream_was_closed_ends_nothing() -> None:
    with Path(os.devnull).open("w") as null:
        progress = Lines(null)
    assert shown(progress) == "done"
