"""The state as a repair reads and writes it: the backend's own files where they can be reached, else by the engine.

Written by the engine, a state loses its pending operations; in its own files those that nobody could settle stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.engine import environ, failures, locks
from cli.engine.locks import SIDECAR, Lock
from cli.engine.store import copies, held, place, restore
from cli.engine.store.bucket import Folder
from cli.engine.store.checkpoint import Checkpoint
from cli.engine.store.place import Place
from cli.errors import UsageError

if TYPE_CHECKING:
    from cli.engine.run import Engine

JSON = dict[str, Any]

_HISTORY_READ = 20


@dataclass(frozen=True)
class Snapshot:
    """A state as it was read: `state` has the form of an export, and is empty where there is no environment yet.

    `damage`: why the engine would not take it.
    """

    state: JSON
    damage: tuple[str, ...] = ()
    place: Place | None = None
    data: bytes | None = None
    checkpoint: Checkpoint | None = None

    @property
    def deployment(self) -> JSON:
        found: JSON = self.state.get("deployment") or {}
        return found


def read(engine: Engine) -> Snapshot:
    """The current state. Raises what the engine says of a wrong passphrase or a lock."""
    where = _place(engine)
    return _exported(engine) if where is None else _of_file(where)


def write(engine: Engine, before: Snapshot, state: JSON) -> None:
    """Put a changed state in the place of the one that was read, which becomes a backup.

    Raises TurnoutError, with nothing changed, when it is not one that the engine would take, or somebody was faster.
    """
    if before.place is None or before.checkpoint is None:
        _import(engine, state)
        return
    new = replace(before.checkpoint, deployment=state["deployment"])
    data = new.encoded(before.place.stack)
    checked = before.place.examine(data, secrets=False)
    if not checked.whole:
        raise failures.StateUnreadable(
            f"the settled state of {engine.environment} would not be whole; nothing was changed",
            why="; ".join(problem.text for problem in checked.problems if problem.fatal),
            next=f"turnout state list {engine.environment}: an earlier one can be restored",
        )
    restore.carry_out(before.place, restore.Restoration("repair", "", before.data, data, new, (), (), ()))


def locks_on(engine: Engine) -> list[Lock]:
    """The locks on the state, whoever has them; none where a service keeps it."""
    where = _place(engine)
    if where is None or isinstance(where.bucket, Folder):
        return locks.found(engine.root, engine.environment, dict(os.environ))
    return held.found(where)


def unlock(engine: Engine, lock: Lock) -> None:
    """Take one of `locks_on` away."""
    where = _place(engine)
    if where is None or isinstance(where.bucket, Folder):
        locks.remove(lock)
    else:
        where.bucket.delete(lock.file.as_posix())


def damaged_sidecar(engine: Engine) -> Path | None:
    """A file beside the state's own that says nothing of use, yet keeps plain `pulumi` from reading the state."""
    where = _place(engine)
    key = where.current() if where else None
    if where is None or key is None or not isinstance(where.bucket, Folder) or not where.bucket.sidecar_problems(key):
        return None
    return where.bucket.path(f"{key}{SIDECAR}")


def earlier(snapshot: Snapshot) -> Iterator[Mapping[str, Any]]:
    """The deployments after earlier runs, newest first, as far as the backend keeps them."""
    return snapshot.place.history(_HISTORY_READ) if snapshot.place else iter(())


def newest_copy(snapshot: Snapshot) -> str:
    """The newest backup that the engine would take, in words; empty where there is none."""
    found = copies.newest_whole(snapshot.place, unlike=snapshot.data or b"") if snapshot.place else None
    return f"backup {found[0].name} of {found[0].at}, {found[1].resources} resources" if found else ""


def _place(engine: Engine) -> Place | None:
    try:
        return place.of(engine.root, engine.environment, environ.variables(engine.root, dict(os.environ)))
    except UsageError:
        return None


def _of_file(where: Place) -> Snapshot:
    try:
        _, data = where.read_current()
    except failures.StackMissing:
        return Snapshot({})
    found = where.examine(data, secrets=False)
    fatal = tuple(problem.text for problem in found.problems if problem.fatal)
    return Snapshot({"version": found.version, "deployment": dict(found.deployment)}, fatal, where, data, found)


def _exported(engine: Engine) -> Snapshot:
    from cli.engine.store.verify import verify

    try:
        state = engine.export_state()
    except failures.StackMissing:
        return Snapshot({})
    except (failures.StateUnreadable, failures.EngineFailed) as error:
        return Snapshot({}, (f"{error.what}: {error.why}",))
    return Snapshot(state, tuple(found.text for found in verify(state.get("deployment") or {}) if found.fatal))


def _import(engine: Engine, state: JSON) -> None:
    if state["deployment"].get("pending_operations"):
        raise UsageError(
            "operations that only you can settle stand in the way",
            why="where a service keeps the state, all of them are settled together",
            next="see to those first, by the commands named with them",
        )
    engine.import_state(state)
