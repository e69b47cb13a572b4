"""Backups and history beyond what is kept, which the engine itself never deletes. `surplus` decides, `prune` deletes.

Two copies of the whole state stay behind each run, one as its backup and one in its history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cli.engine.store import layout
from cli.engine.store.bucket import Object
from cli.engine.store.place import Place

BACKUPS_KEPT = 60
"""The newest backups, and as many states in the history, stay however old they are. A rollback looks for what the state
has lost in the newest 60 states of the history."""

BACKUP_DAYS = 14
"""Backups and states in the history younger than this stay however many they are."""

HISTORY_KEPT = 1000
"""The newest entries of the history (some KB each) stay however old they are."""

HISTORY_DAYS = 365
"""Entries of the history younger than this stay however many they are."""

_DAY = 86400.0


@dataclass(frozen=True)
class Pruned:
    """What was, or would be, deleted. `freed`: bytes."""

    backups: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    freed: int = 0
    kept: int = field(default=0)

    def to_json(self) -> dict[str, object]:
        return {
            "backups": list(self.backups),
            "history": list(self.history),
            "bytes": self.freed,
            "backups_kept": self.kept,
        }


def surplus(entries: Sequence[Object], now: float, *, kept: int, days: float) -> list[Object]:
    """Those beyond the newest `kept` that are older than `days`; `now` in seconds since 1970. A file whose name tells
    no time is never among them."""
    dated = sorted((entry for entry in entries if layout.taken(entry.key)), key=lambda entry: layout.taken(entry.key))
    beyond = dated[: max(0, len(dated) - kept)]
    return [entry for entry in beyond if layout.taken(entry.key) / 1e9 < now - days * _DAY]


def sparing(entries: Sequence[Object], doomed: Sequence[Object], whole: Callable[[Object], bool]) -> list[Object]:
    """`doomed` without the newest whole one, when none of those that stay is whole. Looks no further than the first."""
    going = {entry.key for entry in doomed}
    newest = sorted(entries, key=lambda entry: layout.taken(entry.key), reverse=True)
    last_whole = next((entry.key for entry in newest if whole(entry)), None) if doomed else None
    return [entry for entry in doomed if entry.key in going and entry.key != last_whole]


def plan(place: Place, now: float | None = None) -> tuple[list[Object], list[Object], int]:
    """The backups and the files of the history to delete, and how many backups would stay."""
    moment = time.time() if now is None else now
    backups = [entry for entry in place.bucket.find(place.stack.backups) if layout.taken(entry.key)]
    doomed = surplus(backups, moment, kept=BACKUPS_KEPT, days=BACKUP_DAYS)
    doomed = sparing(backups, doomed, lambda entry: _is_whole(place, entry))
    return doomed, _history_surplus(place, moment), len(backups) - len(doomed)


def prune(place: Place, *, dry_run: bool = False) -> Pruned:
    """Delete what is beyond the limits. Raises StateUnreadable where that cannot be done."""
    backups, history, kept = plan(place)
    if not dry_run:
        for entry in (*backups, *history):
            place.bucket.delete(entry.key)
    freed = sum(entry.size for entry in (*backups, *history))
    return Pruned(tuple(entry.key for entry in backups), tuple(entry.key for entry in history), freed, kept)


def _history_surplus(place: Place, now: float) -> list[Object]:
    entries = place.bucket.find(place.stack.history)
    states = [entry for entry in entries if ".checkpoint.json" in entry.key]
    told = [entry for entry in entries if ".history.json" in entry.key]
    return [
        *surplus(states, now, kept=BACKUPS_KEPT, days=BACKUP_DAYS),
        *surplus(told, now, kept=HISTORY_KEPT, days=HISTORY_DAYS),
    ]


def _is_whole(place: Place, entry: Object) -> bool:
    data = place.bucket.read(entry.key)
    return data is not None and place.examine(data, secrets=False).whole
