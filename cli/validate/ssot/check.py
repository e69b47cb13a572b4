"""Holds a project against SSOT_LOCK.yml: is every source still where it was agreed, and is there a second one?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli import git
from cli.validate.model import Finding, Level
from cli.validate.model import Place as Spot
from cli.validate.project import Project
from cli.validate.ssot import pythons
from cli.validate.ssot.files import Files, matches
from cli.validate.ssot.looks import Definition, found
from cli.validate.ssot.model import FILE, Copy, Fact, Lock
from cli.validate.written import Written, parse

_FEW = 3
_LAYERS = ("components", "infra", "cli")
"""Lowest first: what the others may import is the natural source."""


@dataclass(frozen=True)
class Read:
    """The lock file; `lock` is None where it has faults, or does not exist."""

    written: Written
    lock: Lock | None
    faults: tuple[Finding, ...] = ()

    def line(self, *path: str) -> int:
        """The line of the nearest key at or around a path."""
        lines = {key.path: key.line for key in self.written.all}
        while path and path not in lines:
            path = path[:-1]
        return lines.get(path, 1)


def check(project: Project) -> Iterator[Finding]:
    read = load(project.root)
    yield from read.faults
    if read.lock is not None:
        files = Files(project.root, read.lock.skip)
        for kind, facts in read.lock.facts.items():
            for name, fact in facts.items():
                yield from _fact(Named(read, files, kind, name, fact))


def load(root: Path) -> Read:
    """The lock with every fault at its line."""
    file = root / FILE
    if not file.is_file():
        return Read(Written(FILE), None, (_missing(root),))
    text = file.read_text(encoding="utf-8")
    written = parse(FILE, text)
    if written.faults or written.twice:
        return Read(written, None, tuple(_unreadable(written)))
    return _modelled(written, text)


def _missing(root: Path) -> Finding:
    """Wrong where git once had it: else taking it out would be the way past it."""
    had = git.said(root, "log", "-1", "--diff-filter=AM", "--format=%h", "--", FILE)
    if had and had.strip():
        again = f"git checkout {had.strip()} -- {FILE}"
        return Finding("lock", Level.ERROR, (Spot(FILE),), "was taken out: nothing is held to its source", again)
    make = f"copy the {FILE} of turnout's own repository, or begin one with the lines `schema: 1` and `facts: {{}}`"
    return Finding("lock", Level.WARNING, (Spot(FILE),), "there is none: nothing is held to its source", make)


def _unreadable(written: Written) -> Iterator[Finding]:
    for place, words in written.faults:
        yield Finding("lock", Level.ERROR, (place,), f"not valid YAML: {words}", f"edit {FILE}")
    for each in written.twice:
        yield Finding("lock", Level.ERROR, (each.second, each.first), "is defined twice", "keep one of the two")


def _modelled(written: Written, text: str) -> Read:
    from ruamel.yaml import YAML

    data = YAML(typ="safe").load(text)
    read = Read(written, None)
    try:
        return Read(written, Lock.model_validate(data))
    except ValidationError as error:
        return replace(read, faults=tuple(_refused(read, detail) for detail in error.errors(include_url=False)))


def _refused(read: Read, detail: Any) -> Finding:
    path = tuple(str(part) for part in detail["loc"])
    place = Spot(FILE, read.line(*path), ".".join(path))
    words = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return Finding("lock", Level.ERROR, (place,), words, "docs/validate.md says what an entry may hold")


@dataclass(frozen=True)
class Named:
    """One fact with all that its check needs."""

    read: Read
    files: Files
    kind: str
    name: str
    fact: Fact

    def entry(self, *path: str) -> Spot:
        """Where the lock says something of the fact."""
        whole = ("facts", self.kind, self.name, *path)
        return Spot(FILE, self.read.line(*whole), ".".join(whole[1:]))

    def sources(self) -> tuple[Spot, ...]:
        """Where each source is; one that many files share, as it is written in the lock."""
        found = [(spot, list(where_is(self.files, spot))) for spot in self.fact.source]
        return tuple(place for spot, there in found for place in (there if len(there) <= _FEW else [Spot(spot)]))

    def definitions(self) -> list[Definition]:
        every = (each for look in self.fact.second for each in found(look, self.files, self.fact.source))
        return sorted(set(every))

    def is_source(self, each: Definition) -> bool:
        return any(covers(spot, each) for spot in self.fact.source)

    def agreed(self, each: Definition) -> Copy | None:
        return next((copy for copy in self.fact.copies if covers(copy.at, each)), None)


def _fact(named: Named) -> Iterator[Finding]:
    yield from _gone(named)
    defined = named.definitions()
    yield from _stale_copies(named, defined)
    if named.fact.once:
        yield from _repeated(named, defined)
    else:
        yield from (_second(named, each) for each in defined if not named.is_source(each))


def _gone(named: Named) -> Iterator[Finding]:
    for at, spot in enumerate(named.fact.source):
        if not list(where_is(named.files, spot)):
            message = f"{spot} no longer defines {named.fact.what}"
            remedy = f"turnout validate --accept {named.name} --at FILE#WHERE --reason … --owner …, if it has moved"
            yield Finding("source-gone", Level.ERROR, (named.entry("source", str(at)),), message, remedy)
    for at, copy in enumerate(named.fact.copies):
        if copy.held_by and not list(where_is(named.files, copy.held_by)) and not _exists(named, copy.held_by):
            message = f"{copy.held_by}, which holds {copy.at} to its source, does not exist"
            place = named.entry("copies", str(at), "held_by")
            yield Finding("source-gone", Level.ERROR, (place,), message, "name the test that holds the two together")


def _exists(named: Named, spot: str) -> bool:
    """Tests are skipped by the looks, and still have to be there."""
    file, _, where = spot.partition("#")
    path = named.files.root / file
    return path.is_file() and (not where or where in path.read_text(encoding="utf-8"))


def _stale_copies(named: Named, defined: list[Definition]) -> Iterator[Finding]:
    for at, copy in enumerate(named.fact.copies):
        if not any(covers(copy.at, each) for each in defined):
            message = f"{copy.at} no longer defines {named.fact.what}"
            place = named.entry("copies", str(at))
            yield Finding("source-gone", Level.WARNING, (place,), message, "take the entry out")


def _second(named: Named, each: Definition) -> Finding:
    message = f"defines {named.fact.what} a second time: {_short(each.value)}"
    return _finding(named, (each.place, *named.sources()), message, named.agreed(each))


def _repeated(named: Named, defined: list[Definition]) -> Iterator[Finding]:
    ordered = sorted(defined, key=lambda each: (each.value, not named.is_source(each), _layer(each), each))
    for value, group in groupby(ordered, key=lambda each: each.value):
        first, *others = group
        for each in others:
            message = f"defines {named.fact.what} a second time: {_short(value)}"
            yield _finding(named, (each.place, first.place), message, named.agreed(each))


def _layer(each: Definition) -> int:
    top = each.file.partition("/")[0]
    return _LAYERS.index(top) if top in _LAYERS else len(_LAYERS)


def _finding(named: Named, places: tuple[Spot, ...], message: str, copy: Copy | None) -> Finding:
    first = places[0]
    at = f"{first.file}#{first.path}" if first.path else first.file
    take = named.fact.remedy or f"take it from {places[1] if len(places) > 1 else 'its source'}"
    remedy = f"{take}; or, if this is the source now: turnout validate --accept {named.name} --at '{at}'"
    accepted = f"{copy.owner}: {copy.reason}" if copy else ""
    return Finding("second-definition", Level.ERROR, places, message, remedy, accepted=accepted)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"`{line}`" if len(line) <= 80 else f"`{line[:79]}…`"


def covers(spot: str, each: Definition) -> bool:
    """Whether a definition stands in `FILE#WHERE`, or deeper inside of it."""
    file, _, where = spot.partition("#")
    if not matches(each.file, [file]):
        return False
    return not where or each.where == where or each.where.startswith(f"{where}.") or where in each.value.split("\n")


def where_is(files: Files, spot: str) -> Iterator[Spot]:
    """Each place that `FILE#WHERE` names now."""
    glob, _, where = spot.partition("#")
    for name in files.chosen([glob]):
        if not where:
            yield Spot(name)
        elif line := _line(files, name, where):
            yield Spot(name, line, where)


def _line(files: Files, name: str, where: str) -> int:
    if name.endswith(".py"):
        return pythons.names(files.text(name)).get(where, 0)
    if name.endswith((".yaml", ".yml", ".json")):
        return next((key.line for key in files.keys(name).all if key.dotted == where), 0)
    lines = files.text(name).splitlines()
    return next((at for at, line in enumerate(lines, 1) if where in line), 0)
