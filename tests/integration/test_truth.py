"""What a preview says is what an apply does: a corpus of edits, each previewed, applied, and looked at in a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.kube.client import connect
from cli.progress import Silent
from cli.rollout.where import from_settings
from cli.sandbox import cluster
from tests.harness import turnout
from tests.truth.edits import CORPUS
from tests.truth.place import Place
from tests.truth.run import Told, through

pytestmark = pytest.mark.cluster

NAME = f"truth{os.getpid()}"
AT_LEAST = 60
CERTAIN = 0.95


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Told]]:
    """The three environments side by side, on simulated pods: nothing here asks a pod anything."""
    folder = tmp_path_factory.mktemp("truth")
    try:
        turnout("sandbox", "up", NAME, "--pods", "simulated", timeout=1800)
        with ThreadPoolExecutor(len(CORPUS)) as lanes:
            yield dict(zip(CORPUS, lanes.map(lambda environment: _told(folder, environment), CORPUS), strict=True))
    finally:
        cluster.down(NAME, Silent())


def _told(folder: Path, environment: str) -> Told:
    place = Place.of(folder / environment, environment, NAME)
    place.up()
    with connect(from_settings({"sandbox": NAME})) as kube:
        return through(place, CORPUS[environment], kube, print)


def test_what_was_said_for_certain_happened_and_nothing_else_did(tallies: dict[str, Told]) -> None:
    assert sum(map(len, CORPUS.values())) >= AT_LEAST
    assert [line for tally in tallies.values() for line in tally.untruths] == []


def test_nearly_every_change_is_certain(tallies: dict[str, Told]) -> None:
    changes = sum(tally.changes for tally in tallies.values())
    assert changes >= AT_LEAST
    assert sum(tally.certain for tally in tallies.values()) >= CERTAIN * changes


def test_hermetic_and_live_previews_agree_but_for_what_is_known(tallies: dict[str, Told]) -> None:
    found = {where: rows for tally in tallies.values() for where, rows in tally.disagreements.items()}
    assert found == {}
