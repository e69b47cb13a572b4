"""Changes SSOT_LOCK.yml: a source that has moved, or a second definition that is agreed to, each with who and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cli.errors import UsageError
from cli.validate.ssot.check import Named, Read, covers, load, where_is
from cli.validate.ssot.files import Files
from cli.validate.ssot.model import FILE, Lock
from cli.yamlfile import YamlFile
from infra.faults import nearest


@dataclass(frozen=True)
class Agreement:
    """What is agreed to. `at` is `FILE` or `FILE#WHERE`, as a finding names it."""

    fact: str
    at: str
    reason: str
    owner: str


def accept(root: Path, agreed: Agreement, today: date) -> str:
    """Write it into the lock; says what that was. Raises UsageError, and then nothing has changed."""
    read = load(root)
    if read.lock is None:
        raise UsageError(f"{FILE} cannot be read", why="\n".join(f"{f.places[0]}: {f.message}" for f in read.faults))
    if not agreed.owner.strip() or len(agreed.reason.strip()) < 10:
        raise UsageError("it needs an owner and a reason that others understand", next="--owner WHO --reason WHY")
    named = _named(read, read.lock, root, agreed.fact)
    gone = [spot for spot in named.fact.source if not list(where_is(named.files, spot))]
    _must_be_there(named, agreed, gone)
    file = YamlFile(root / FILE)
    entry = file.document["facts"][named.kind][named.name]
    said = _move(entry, gone, agreed, today) if gone else _copy(entry, agreed, today)
    file.save()
    return f"{FILE}: {named.name}: {said}"


def _named(read: Read, lock: Lock, root: Path, name: str) -> Named:
    for kind, facts in lock.facts.items():
        if name in facts:
            return Named(read, Files(root, lock.skip), kind, name, facts[name])
    raise UsageError(f"{FILE} has no fact {name}{nearest(name, lock.all())}")


def _must_be_there(named: Named, agreed: Agreement, gone: list[str]) -> None:
    if gone:
        if not list(where_is(named.files, agreed.at)):
            raise UsageError(f"{agreed.at} is not there", why=f"{', '.join(gone)} is gone, so this is to be its source")
        return
    found = [each for each in named.definitions() if covers(agreed.at, each)]
    if not found:
        raise UsageError(f"nothing at {agreed.at} defines {named.fact.what}", next="turnout validate names the places")
    if all(named.is_source(each) or named.agreed(each) for each in found):
        raise UsageError(f"{agreed.at} is agreed to already")


def _move(entry: Any, gone: list[str], agreed: Agreement, today: date) -> str:
    kept = [spot for spot in entry["source"] if spot not in gone]
    entry["source"] = [*kept, *([agreed.at] if agreed.at not in kept else [])]
    for spot in gone:
        moved = {"from": spot, "reason": agreed.reason, "owner": agreed.owner, "on": today}
        entry.setdefault("moved", []).append(moved)
    return f"its source is {agreed.at} now, and no longer {', '.join(gone)}"


def _copy(entry: Any, agreed: Agreement, today: date) -> str:
    copy = {"at": agreed.at, "reason": agreed.reason, "owner": agreed.owner, "since": today}
    entry.setdefault("copies", []).append(copy)
    return f"{agreed.at} may define it too"
