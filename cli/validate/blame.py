"""When each line of a file was last committed, by git."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli import git

_HEAD = re.compile(r"^([0-9a-f]{40,64}) \d+ (\d+)(?: \d+)?$")
_SECONDS = 20.0


@dataclass(frozen=True)
class Line:
    """One line's last commit. `at` is None where it is not committed yet.

    In a shallow clone the oldest commit stands for all before it: the line is at least that old.
    """

    commit: str
    at: datetime | None


def lines(root: Path, file: str) -> dict[int, Line]:
    """Line number to its last commit; empty without git, or for a file that git does not know."""
    return parsed(git.said(root, "blame", "--porcelain", "-w", "-M", "--", file, seconds=_SECONDS) or "")


def parsed(porcelain: str) -> dict[int, Line]:
    """`git blame --porcelain`: a head for each line, details with a commit's first one."""
    times: dict[str, int] = {}
    owners: dict[int, str] = {}
    commit = ""
    for text in porcelain.splitlines():
        if found := _HEAD.match(text):
            commit = found[1]
            owners[int(found[2])] = commit
        elif text.startswith("committer-time "):
            times[commit] = int(text.split()[1])
    return {number: Line(commit, _moment(commit, times)) for number, commit in owners.items()}


def _moment(commit: str, times: dict[str, int]) -> datetime | None:
    if not commit.strip("0") or commit not in times:
        return None
    return datetime.fromtimestamp(times[commit], UTC)
