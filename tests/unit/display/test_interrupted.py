"""A command that is asked to end, and asked again while it ends, keeps its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

ASKED_AGAIN = """
import os, sys
from cli import main

at, first, second = sys.argv[1], *map(int, sys.argv[2:])
step = getattr(main, at)

def once_more(*given):
    setattr(main, at, step)
    os.kill(os.getpid(), second)
    return step(*given)

main.app = lambda: os.kill(os.getpid(), first)
setattr(main, at, once_more)
main.main()
"""


@pytest.mark.parametrize("at", ["_interrupted", "_end_at_once", "leave_with"])
@pytest.mark.parametrize(("first", "second"), [(2, 2), (2, 15), (15, 15), (15, 1)])
def test_who_asks_again_while_it_ends_gets_the_same_exit_code(at: str, first: int, second: int) -> None:
    command = [sys.executable, "-c", ASKED_AGAIN, at, str(first), str(second)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (8, False), done.stderr
