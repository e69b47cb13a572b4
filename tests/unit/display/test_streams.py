"""A command whose output nobody reads any more ends as it would have ended."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from cli import streams

ROOT = Path(__file__).parents[3]
TURNOUT = (sys.executable, "-m", "cli.main")


def code_of(*words: str, out: TextIO | int = subprocess.DEVNULL, err: TextIO | int = subprocess.DEVNULL) -> int:
    return subprocess.run([*TURNOUT, *words], stdout=out, stderr=err, cwd=ROOT, timeout=120, check=False).returncode


def test_a_result_that_nobody_reads_hides_no_success(unread: TextIO) -> None:
    assert code_of("--help", out=unread) == 0


def test_an_error_that_nobody_reads_keeps_its_exit_code(unread: TextIO) -> None:
    assert code_of("logs", "dev", "api", "--follow", "--json", out=unread, err=unread) == 2


def test_a_result_that_is_not_written_whole_is_no_success() -> None:
    with Path("/dev/full").open("w") as full:
        assert code_of("--help", out=full) != 0


class Failing(io.StringIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, text)


@pytest.mark.parametrize(("number", "raised"), [(5, False), (32, False), (28, True)])
def test_only_a_reader_that_left_is_passed_over_where_the_text_is_needed(number: int, raised: bool) -> None:
    stream = streams.Lasting(Failing(number), needed=True)
    if raised:
        with pytest.raises(OSError, match="text"):
            stream.write("text")
    else:
        assert stream.write("text") == 4
    assert stream.unread is not raised
