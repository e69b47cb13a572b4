"""Puts an earlier state in the place of the current one, which becomes a backup first: nothing is lost.

`prepare` decides and changes nothing; `carry_out` writes under the state's lock.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.engine import failures
from cli.engine.store import copies, held, layout
from cli.engine.store.checkpoint import Checkpoint
from cli.engine.store.place import Place
from cli.engine.store.verify import name
from cli.errors import UsageError

_BOOKKEEPING = ("modified", "created", "sourcePosition", "stackTrace")


@dataclass(frozen=True)
class Restoration:
    """What a restore would do. The three lists hold URNs: resources that the state would know again, would no longer
    know, and would hold with other contents."""

    source: str
    taken: str
    current: bytes | None
    candidate: bytes
    checkpoint: Checkpoint
    appearing: tuple[str, ...]
    disappearing: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return self.candidate == self.current

    def to_json(self) -> dict[str, Any]:
        return {
            "from": self.source,
            "taken": self.taken,
            "resources": self.checkpoint.resources,
            "appearing": list(self.appearing),
            "disappearing": list(self.disappearing),
            "differing": list(self.differing),
            "warnings": [problem.text for problem in self.checkpoint.problems],
        }

    def lines(self) -> list[str]:
        """For people, at most a few of each."""
        told = [f"from {self.source}{f', {self.taken}' if self.taken else ''}: {self.checkpoint.resources} resources"]
        for sign, urns in (("+", self.appearing), ("-", self.disappearing), ("~", self.differing)):
            told += [f"  {sign} {name(urn)}" for urn in urns[:_SHOWN]]
            told += [f"  {sign} and {len(urns) - _SHOWN} more"] if len(urns) > _SHOWN else []
        if not (self.appearing or self.disappearing or self.differing):
            told.append("  the resources are the same")
        return [*told, *(f"  {problem.text}" for problem in self.checkpoint.problems)]


_SHOWN = 12


def prepare(place: Place, source: str = "") -> Restoration:
    """Choose and check a copy: `N`, `bak`, a file, or the newest whole one that is not the current state.

    Raises StateUnreadable when the copy is not one that the engine would take.
    """
    key = place.current()
    current = place.bucket.read(key) if key else None
    label, taken, candidate = _chosen(place, source, current or b"")
    checkpoint = place.examine(candidate)
    if not checkpoint.whole:
        raise _refused(place, label, checkpoint)
    before = place.examine(current, secrets=False).deployment if current else {}
    return Restoration(label, taken, current, candidate, checkpoint, *compare(before, checkpoint.deployment))


def carry_out(place: Place, wanted: Restoration) -> str:
    """Write it, under the state's lock; returns the key of the backup that holds what was there.

    Raises TurnoutError, with nothing changed, when the state has changed since `prepare`.
    """
    with held.lock(place):
        key = place.current()
        current = place.bucket.read(key) if key else None
        if current != wanted.current:
            raise failures.StateUnreadable(
                f"the state of {place.environment} has changed since",
                why="somebody worked on it in between",
                next=f"turnout state restore {place.environment}, and look at it again",
            )
        target = _target(place, key)
        backup = _keep(place, current, layout.compression(target))
        data = _bytes(place, wanted, layout.compression(target))
        place.bucket.write(target, data)
        _read_back(place, target, data)
    return backup


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """URNs that only the second deployment has, that only the first has, and that both have with other contents."""
    old, new = _by_urn(before), _by_urn(after)
    appearing = tuple(urn for urn in new if urn not in old)
    disappearing = tuple(urn for urn in old if urn not in new)
    return appearing, disappearing, tuple(urn for urn in new if urn in old and old[urn] != new[urn])


def _chosen(place: Place, source: str, current: bytes) -> tuple[str, str, bytes]:
    if not source:
        found = copies.newest_whole(place, unlike=current)
        if found is None:
            raise _nothing(place)
        return (
            f"{'the state before' if found[0].name == copies.BEFORE else f'backup {found[0].name}'}",
            found[0].at,
            found[2],
        )
    known = {copy.name: copy for copy in copies.backups(place)}
    if source == copies.BEFORE or source in known:
        key = known[source].key if source in known else f"{place.current() or place.stack.state}.bak"
        data = place.bucket.read(key)
        if data is not None:
            return f"backup {source}", known[source].at if source in known else "", data
    file = next((path for path in (Path(source), place.root / source) if path.is_file()), None)
    if file is None:
        raise UsageError(
            f"there is no copy {source} of the state of {place.environment}, and no such file",
            next=f"turnout state list {place.environment}",
        )
    return source, "", file.read_bytes()


def _target(place: Place, key: str | None) -> str:
    """Where to write: over what the engine reads. A file that it packed with zstd gives way to a plain one."""
    return key if key and layout.compression(key) != ".zst" else place.stack.state


def _bytes(place: Place, wanted: Restoration, compression: str) -> bytes:
    """The copy's own bytes where the engine reads them as they are, else its deployment as a state file."""
    packed = wanted.candidate.startswith(b"\x1f\x8b")
    if wanted.checkpoint.exported or packed != (compression == ".gz"):
        return wanted.checkpoint.encoded(place.stack, compression)
    return wanted.candidate


def _keep(place: Place, current: bytes | None, compression: str) -> str:
    if current is None:
        return ""
    backup = place.stack.backup(time.time_ns(), compression)
    place.bucket.write(backup, current)
    _read_back(place, backup, current)
    return backup


def _read_back(place: Place, key: str, data: bytes) -> None:
    if place.bucket.read(key) != data:
        raise failures.StateUnreadable(
            f"{key} does not hold what was written to it",
            why="the place where the state is kept does not keep what it takes",
            next=f"turnout state verify {place.environment}",
        )


def _by_urn(deployment: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = deployment.get("resources")
    entries = found if isinstance(found, list) else []
    live = (entry for entry in entries if isinstance(entry, dict) and not entry.get("delete") and entry.get("urn"))
    return {entry["urn"]: {key: value for key, value in entry.items() if key not in _BOOKKEEPING} for entry in live}


def _refused(place: Place, label: str, checkpoint: Checkpoint) -> failures.StateUnreadable:
    told = [problem.text for problem in checkpoint.problems if problem.fatal]
    more = [f"and {len(told) - _SHOWN} more"] if len(told) > _SHOWN else []
    return failures.StateUnreadable(
        f"{label} is no state that {place.environment} could go on from; nothing was changed",
        why="\n     ".join([*told[:_SHOWN], *more]),
        next=f"turnout state list {place.environment}, and name a whole one: --from N",
    )


def _nothing(place: Place) -> failures.StateUnreadable:
    return failures.StateUnreadable(
        f"there is no other whole copy of the state of {place.environment}",
        why=f"none among the backups in {place.bucket.url.partition('?')[0]}",
        next=f"turnout state list {place.environment}, or name a file: --from FILE",
    )
