"""What a rollback owes the Pulumi state: noted in the cluster first, settled once the state store is reachable."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.rollout import book, cursor, records, releases
from cli.rollout.book import Debt
from cli.rollout.control import namespace
from cli.rollout.cursor import Cursor
from cli.rollout.records import Record

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.progress import Progress

LIMIT = 120.0


class Settlement:
    """The state being settled by another process, while the cluster is waited for."""

    def __init__(
        self, root: Path, environment: str, record: Record, tracks: Mapping[str, Any], niceness: int = 0
    ) -> None:
        with _as_file({"record": record.to_json(), "tracks": tracks}) as file:
            self._process = subprocess.Popen(
                _command(environment, niceness),
                cwd=root,
                stdin=file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )

    def finish(self) -> str:
        """Waits for the end. Empty when the state is settled, else why it is not."""
        try:
            _, said = self._process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return f"no end after {LIMIT:.0f} s"
        if self._process.returncode == 0:
            return ""
        lines = said.strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"


def begin(root: Path | None, environment: str, record: Record, kube: Kube, *, niceness: int = 0) -> Settlement | None:
    """Start settling; None where there is no checkout of the environment to settle from.

    `niceness`: how far it stands back from the processes beside it (nice(1)).
    """
    if root is None or not (root / f"Pulumi.{environment}.yaml").is_file():
        return None
    return Settlement(root, environment, record, tracks(cursor.read(kube, environment)), niceness)


def tracks(now: Cursor) -> dict[str, dict[str, Any]]:
    """Which track of each service the record's objects are on: those of a record are always on the first."""
    return {
        service: {"described": place.described, "epoch": place.epoch, "two": place.two}
        for service, place in now.places.items()
    }


def clear(kube: Kube, environment: str, debt: Debt) -> None:
    """The debt is paid; one that was made since stays."""
    releases.change(kube, environment, lambda found: replace(found, debt=None) if found.debt == debt else found)


def owed(kube: Kube, environment: str) -> Debt | None:
    """The debt that is noted in the cluster."""
    return book.read(kube.find("v1", "ConfigMap", book.NAME, namespace(environment))).debt


def must_owe_nothing(kube: Kube, environment: str, again: str) -> None:
    """Raises TurnoutError while the state does not know of a rollback: what is compared with it now will not hold."""
    if debt := owed(kube, environment):
        raise TurnoutError(
            f"the state of {environment} does not know of the rollback to release {debt.number} yet",
            why="settling that rewrites the state, and a plan is bound to it",
            next=f"turnout repair {environment}, then {again}",
        )


def settle_owed(kube: Kube, environment: str, root: Path, progress: Progress) -> Debt | None:
    """Settle what an earlier rollback owes; call it under the lock, before the engine. Returns what was paid."""
    debt = releases.load(kube, environment).debt
    if debt is None:
        return None
    with progress.step(f"settling the state after the rollback to release {debt.number}"):
        _settle(kube, environment, root, debt)
    return debt


def _settle(kube: Kube, environment: str, root: Path, debt: Debt) -> None:
    settlement = begin(root, environment, records.fetch(kube, environment, debt.record), kube)
    why = settlement.finish() if settlement else f"there is no Pulumi.{environment}.yaml in {root}"
    if why:
        raise TurnoutError(
            f"the state of {environment} could not be settled after the rollback to release {debt.number}",
            why=why,
            next="mend that, then run the same command again; the cluster itself is as it should be",
        )
    clear(kube, environment, debt)


def _as_file(document: dict[str, Any]) -> IO[str]:
    """A nameless file: unlike a pipe it never makes the writer wait."""
    file = tempfile.TemporaryFile("w+")  # noqa: SIM115
    json.dump(document, file)
    file.seek(0)
    return file


def _command(environment: str, niceness: int) -> list[str]:
    nice = ["nice", "-n", str(niceness)] if niceness and shutil.which("nice") else []
    return [*nice, sys.executable, "-m", "cli.engine.settle", environment]
