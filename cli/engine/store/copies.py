"""Every copy of an environment's state that there is: the current one, the one before, the backups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from cli.engine.locks import age
from cli.engine.store import layout
from cli.engine.store.bucket import Object
from cli.engine.store.checkpoint import Checkpoint
from cli.engine.store.place import Place
from cli.engine.store.verify import Problem

CURRENT = "current"
BEFORE = "bak"
_READERS = 8


@dataclass(frozen=True)
class Copy:
    """One copy. `name` is what `--from` takes: a number (1 is the newest backup) or `bak`. `taken`: seconds since
    1970. `kind`: which run left it, empty where that is not known."""

    name: str
    key: str
    taken: float
    size: int
    kind: str = ""
    resources: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def whole(self) -> bool:
        return not any(problem.fatal for problem in self.problems)

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "key": self.key,
            "taken": self.at,
            "bytes": self.size,
            "kind": self.kind,
            "resources": self.resources,
            "whole": self.whole,
            "problems": [problem.to_json() for problem in self.problems],
        }

    @property
    def at(self) -> str:
        return datetime.fromtimestamp(self.taken, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def cells(self, now: datetime) -> tuple[str, ...]:
        """For people: name, age, kind of run, resources, how it is."""
        state = "whole" if self.whole else f"broken: {next(p.text for p in self.problems if p.fatal)}"
        return (self.name, f"{age(self.at, now)} ago", self.kind or "-", str(self.resources), state)


def every(place: Place) -> list[Copy]:
    """All copies with what is in them, the current one first, then from new to old."""
    named = [*_beside(place), *backups(place)]
    kinds = _kinds(place, named)
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda copy: _looked_into(place, replace(copy, kind=kinds.get(copy.key, ""))), named))


def backups(place: Place) -> list[Copy]:
    """The backups without a look into them, newest first, numbered from 1."""
    found = [entry for entry in place.bucket.find(place.stack.backups) if layout.taken(entry.key)]
    newest = sorted(found, key=lambda entry: layout.taken(entry.key), reverse=True)
    return [
        Copy(str(number), entry.key, layout.taken(entry.key) / 1e9, entry.size)
        for number, entry in enumerate(newest, start=1)
    ]


def newest_whole(place: Place, *, unlike: bytes = b"") -> tuple[Copy, Checkpoint, bytes] | None:
    """The newest copy, the current state excepted, that the engine would take and that is not the same as `unlike`."""
    for copy in [*backups(place), *_beside(place)[1:]]:
        data = place.bucket.read(copy.key)
        if data is None or data == unlike:
            continue
        found = place.examine(data)
        if found.whole and found.deployment:
            return copy, found, data
    return None


def _beside(place: Place) -> list[Copy]:
    """The current state and the one that the engine put aside when it last wrote it; empty where neither is."""
    stack = place.stack
    found = {entry.key: entry for entry in place.bucket.find(stack.state)}
    current = _latest([found[key] for key in stack.states if key in found])
    before = _latest([found[f"{key}.bak"] for key in stack.states if f"{key}.bak" in found])
    first = _copy(CURRENT, current) if current else Copy(CURRENT, stack.state, 0, 0)
    return [first, *([_copy(BEFORE, before)] if before else [])]


def _latest(found: Sequence[Object]) -> Object | None:
    return max(found, key=lambda entry: entry.modified, default=None)


def _copy(name: str, entry: Object) -> Copy:
    return Copy(name, entry.key, entry.modified, entry.size)


def _looked_into(place: Place, copy: Copy) -> Copy:
    data = place.bucket.read(copy.key)
    if data is None:
        return replace(copy, problems=(Problem("file", "it is not there"),))
    found = place.examine(data, secrets=False)
    return replace(copy, resources=found.resources, problems=found.problems)


def _kinds(place: Place, named: Sequence[Copy]) -> dict[str, str]:
    """Which run left each copy: the engine writes a run's history just before its backup."""
    histories = [entry.key for entry in place.bucket.find(place.stack.history) if ".history.json" in entry.key]
    kinds: dict[str, str] = {}
    earlier = 0
    numbered = [copy for copy in named if copy.name not in (CURRENT, BEFORE)]
    for copy in sorted(numbered, key=lambda copy: layout.taken(copy.key)):
        at = layout.taken(copy.key)
        made = [key for key in histories if earlier < layout.taken(key) <= at]
        if made:
            kinds[copy.key] = _kind(place, max(made, key=layout.taken))
        earlier = at
    return kinds


def _kind(place: Place, history: str) -> str:
    if PurePosixPath(history).suffix != ".json":
        return ""
    try:
        told = json.loads(place.bucket.read(history) or b"{}")
        kind = {"update": "up"}.get(told.get("kind"), told.get("kind", ""))
        return f"{kind} (failed)" if told.get("result") == "failed" else str(kind)
    except (ValueError, AttributeError):
        return ""
