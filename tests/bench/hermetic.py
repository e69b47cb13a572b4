"""The hermetic preview of all three environments between two commits, each of which changes every environment.

The commits are of a repository of the bench's own, with this project's program and settings as they are now.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cli import paths
from cli.engine.render import render
from tests.bench.cluster import COMMAND
from tests.bench.demo import Contender, in_turn
from tests.bench.works import Row
from tests.truth.edits import CORPUS
from tests.unit.review.repository import ENVIRONMENTS, Repository

KEY: Final = "hermetic"
WORK: Final = "hermetic: preview of dev, staging and prod between two commits"

_CHANGES: Final = 3
"""The exit code of a preview that shows changes: a figure for one that shows none would be a wrong one."""


def measured(checkout: Path, runs: int) -> Iterator[Row]:
    """One row. The first preview, which unpacks the commits, does not count."""
    folder = paths.work_dir(checkout) / "bench" / KEY
    shutil.rmtree(folder, ignore_errors=True)
    try:
        command = [COMMAND, "preview", "--all", "--base", two_commits(folder), "--head", "HEAD", "--exit-code"]
        preview = Contender("turnout", command, fine=(_CHANGES,))
        resources = sum(len(render(checkout, name).resources) for name in ENVIRONMENTS)
        yield from in_turn([preview], folder, resources, runs, WORK)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def two_commits(folder: Path) -> str:
    """Makes the repository; returns the first commit. The second is its head: the first edit of each corpus."""
    repository = Repository(folder)
    base = repository.git("rev-parse", "HEAD")
    for name in ENVIRONMENTS:
        CORPUS[name][0].make(folder, name)
    repository.commit("second")
    return base
