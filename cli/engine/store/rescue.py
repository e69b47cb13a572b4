"""The newest state kept on this machine when the place where it belongs takes no more writes in the middle of a run.

The engine tries each write eleven times over half a minute, then starts nothing new: what it had under way by then is
what the stored state does not tell. That is added as pending operations, for `turnout repair` to read back.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cli import paths
from cli.engine import cutoff, failures
from cli.engine.events import Done, Event, Started, Step
from cli.engine.store.checkpoint import Checkpoint
from cli.engine.store.place import Place
from cli.errors import TurnoutError

KEPT = 5
"""Rescued states of an environment that are kept."""

_LOST = re.compile(
    r"failed to save snapshot|writing snapshot|saving (?:update info|backup)|writing the new snapshot file"
)
_CLOCKS = 1.0
"""Seconds that an event may come before the write that it belongs to."""


class StateLost(failures.StateUnreadable):
    """The state could not be written any more while a run was under way; a copy of it is on this machine."""


class Ledger:
    """When each operation of a run was last heard of, by this machine's clock."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], tuple[float, Step]] = {}

    def take(self, event: Event) -> None:
        """One more event of the run."""
        if isinstance(event, Started | Done) and event.step.operation in cutoff.OPERATIONS:
            self._heard[event.step.urn, event.step.operation] = (time.time(), event.step)

    def since(self, moment: float) -> list[Step]:
        """The operations that were under way, or ended, after a moment."""
        return [step for at, step in self._heard.values() if at > moment]


def lost(text: str) -> str:
    """The engine's own line about a state that it could not write; empty when it said no such thing."""
    return next((line.strip() for line in text.splitlines() if _LOST.search(line)), "")


def unsaved(stored: Mapping[str, Any], steps: Iterable[Step]) -> list[Step]:
    """Of `steps`, those that a deployment tells nothing of. Pure."""
    resources = [entry for entry in stored.get("resources") or [] if isinstance(entry, Mapping)]
    named = {(cutoff.OPERATIONS[step.operation], step.urn): step for step in steps}
    return [
        step for step in named.values() if not _told(step, [entry for entry in resources if entry["urn"] == step.urn])
    ]


def _told(step: Step, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these entries of a resource show that a step is over. Of an update they cannot."""
    live = [entry for entry in entries if not entry.get("delete") and not entry.get("pendingReplacement")]
    match step.operation:
        case "create":
            return bool(live)
        case "create-replacement":
            return any(entry.get("id") == (step.new.id if step.new else None) for entry in live)
        case "delete":
            return not live
        case "delete-replaced":
            return len(live) == len(entries)
    return False


def written_at(deployment: Mapping[str, Any]) -> float:
    """When the engine last wrote a state, in seconds since 1970; 0 where it does not tell."""
    at = str((deployment.get("manifest") or {}).get("time", ""))
    try:
        return datetime.fromisoformat(re.sub(r"\.(\d{6})\d*", r".\1", at)).timestamp()
    except ValueError:
        return 0.0


def rescued(place: Place, before: bytes | None, ledger: Ledger, said: str) -> StateLost:
    """Keep the newest state on this machine; the error that says where, and what to run.

    `before`: the state as it was before the run, for when the place does not even answer any more.
    """
    known = _stored(place) or (place.examine(before, secrets=False) if before else Checkpoint())
    steps = unsaved(known.deployment, ledger.since(written_at(known.deployment) - _CLOCKS))
    whole = replace(known, deployment=cutoff.recorded(known.deployment, steps))
    file = _keep(place, whole.encoded(place.stack))
    named = [f"{cutoff.OPERATIONS[step.operation]} {step.type.rpartition(':')[2]} {step.name}" for step in steps]
    shown = file.relative_to(place.root) if file.is_relative_to(place.root) else file
    return StateLost(
        f"the state of {place.environment} could not be written any more; its newest copy is {shown}",
        why="\n     ".join([said, *(["what the stored state does not know:"] if named else []), *named]),
        next=f"mend {place.bucket.url.partition('?')[0]}, then: turnout state restore {place.environment}"
        f" --from {shown}, turnout repair {place.environment}",
    )


def _stored(place: Place) -> Checkpoint | None:
    """What the place holds now; None when it does not answer, or with nothing whole."""
    try:
        _, data = place.read_current()
    except TurnoutError:
        return None
    found = place.examine(data, secrets=False)
    return found if found.whole else None


def _keep(place: Place, data: bytes) -> Path:
    """In the project where that has room, else where this machine keeps what is for a while."""
    error: OSError | None = None
    for folder in (
        paths.work_dir(place.root) / "rescue",
        Path(tempfile.gettempdir()) / f"turnout-rescue-{os.getuid()}",
    ):
        try:
            return _write(folder, f"{place.environment}-{time.time_ns()}.json", data)
        except OSError as caught:
            error = caught
    raise StateLost(
        f"the state of {place.environment} could not be written any more, nor a copy of it on this machine",
        why=f"{error}",
        next=f"free room, then: turnout refresh {place.environment}",
    ) from error


def _write(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    earlier = sorted(folder.glob(f"{name.rpartition('-')[0]}-*.json"))
    for old in earlier[:-KEPT]:
        old.unlink(missing_ok=True)
    return file
