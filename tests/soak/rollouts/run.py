"""The part of the soak that rolls out and back under load, from an environment of its own to the figures."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from cli import paths
from cli.progress import Lines
from cli.sandbox import build
from tests.harness import ROOT
from tests.soak import result
from tests.soak.rollouts import figures, judging
from tests.soak.rollouts.bad import GATED, VARIANTS
from tests.soak.rollouts.drive import drive, unprotected
from tests.soak.rollouts.place import Unexpected, place
from tests.soak.rollouts.rounds import whole

ENVIRONMENT, GATED_ENVIRONMENT = "rolls", "gated"
FOLDER = paths.work_dir(ROOT) / "soak-rollouts"
DOCUMENT = ROOT / "docs" / "performance.md"


def roll(count: int, requests: int, sandbox: str) -> list[str]:
    """`count` rollouts and as many ways back under at least that many requests; what falls short."""
    began = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    result.forget(figures.REQUIRED)
    progress = Lines()
    kubectl = str(build.ensure(["kubectl"], progress)["kubectl"])
    try:
        with place(FOLDER, ENVIRONMENT, sandbox, progress) as one:
            driven = drive(one, whole(count), progress.note, kubectl=kubectl, at_least=requests)
            found = figures.figures(driven, unprotected(one, progress.note))
    except Unexpected as wrong:
        return [str(wrong)]
    found.rolling_seconds = time.monotonic() - began
    result.merge(found.to_json())
    print("\n".join(figures.table(found.to_json())))
    return figures.shortcomings(found, requests=requests)


def judge(runs: int, sandbox: str) -> list[str]:
    """Bad releases, `runs` good ones and as many without traffic before the gates; what falls short."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    result.forget(("gates",))
    progress = Lines()
    try:
        with place(FOLDER, GATED_ENVIRONMENT, sandbox, progress, GATED, VARIANTS) as one:
            judged = judging.judge(one, runs, progress.note)
    except Unexpected as wrong:
        return [str(wrong)]
    result.merge(judged.to_json())
    return judging.shortcomings(judged)


def write(document: Path = DOCUMENT) -> None:
    """Put the figures of the last run into the documentation."""
    told = result.read()
    if set(figures.REQUIRED) <= set(told):
        document.write_text(figures.put_into(document.read_text(), told))
