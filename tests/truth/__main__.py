"""`python -m tests.truth SANDBOX [ENV…]`: the corpus on a sandbox with simulated pods that runs, every word shown."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from cli.kube.client import connect
from cli.rollout.where import from_settings
from tests.truth.edits import CORPUS
from tests.truth.place import Place
from tests.truth.run import through

if __name__ == "__main__":
    sandbox, *chosen = sys.argv[1:]
    for environment in chosen or CORPUS:
        with tempfile.TemporaryDirectory() as folder, connect(from_settings({"sandbox": sandbox})) as kube:
            place = Place.of(Path(folder) / environment, environment, sandbox)
            place.up()
            tally = through(place, CORPUS[environment], kube, print)
        print(f"{environment}: {tally.changes} changes, {tally.certain} certain")
        print(
            "\n".join(
                [*tally.untruths, *(f"{key}{line}" for key, rows in tally.disagreements.items() for line in rows)]
            )
        )
