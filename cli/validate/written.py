"""YAML as it is written, not as it loads: where each key stands, and keys that stand twice. Also reads JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from cli.validate.model import Place

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Key:
    """One key of a mapping: its path from the document's root, its line, and its value where that is a scalar."""

    path: tuple[str, ...]
    line: int
    value: str | None = None

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True)
class Twice:
    """A key that one mapping has twice: YAML keeps the last and says nothing."""

    first: Place
    second: Place


@dataclass(frozen=True)
class Written:
    """One file. `keys` are those of its top level; `all` every one; `faults` why it is no YAML."""

    file: str
    keys: frozenset[str] = frozenset()
    all: tuple[Key, ...] = ()
    twice: tuple[Twice, ...] = ()
    faults: tuple[tuple[Place, str], ...] = ()


def parse(file: str, text: str) -> Written:
    """Every key of every document in a YAML or JSON text."""
    try:
        roots = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        return Written(file, faults=(_fault(file, error),))
    found = [key for root in roots if root is not None for key in _keys(root, ())]
    top = frozenset(key.path[0] for key in found if len(key.path) == 1)
    return Written(file, top, tuple(found), tuple(each for root in roots for each in _twice(file, root, ())))


def _fault(file: str, error: Any) -> tuple[Place, str]:
    mark = getattr(error, "problem_mark", None)
    words = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return Place(file, mark.line + 1 if mark else 1), str(words)


def _keys(node: Any, path: tuple[str, ...]) -> Iterator[Key]:
    for step, child, line in _children(node):
        here = (*path, step)
        yield Key(here, line, str(child.value) if isinstance(child, yaml.ScalarNode) else None)
        yield from _keys(child, here)


def _twice(file: str, node: Any, path: tuple[str, ...]) -> Iterator[Twice]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for step, _, line in _children(node):
            where = ".".join((*path, step))
            if step in seen and step != "<<":
                yield Twice(Place(file, seen[step], where), Place(file, line, where))
            seen.setdefault(step, line)
    for step, child, _ in _children(node):
        yield from _twice(file, child, (*path, step))


def _children(node: Any) -> Iterator[tuple[str, Any, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            yield str(at), item, item.start_mark.line + 1
