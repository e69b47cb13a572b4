"""The files of a project that may define something, each read and parsed once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from cli import git
from cli.validate.ssot import pythons
from cli.validate.ssot.pythons import Entry, Kind
from cli.validate.written import Written, parse

_SECONDS = 20.0
_LARGEST = 1_000_000
"""Bytes; nobody writes settings in a larger file by hand."""
_NEVER = frozenset({".git", ".venv", ".turnout", "node_modules", "__pycache__"})


class Files:
    """`names` are paths from the root, with `/`."""

    def __init__(self, root: Path, skip: Iterable[str] = ()) -> None:
        self.root = root
        skipped = list(skip)
        self.names = [name for name in sorted(_listed(root)) if not matches(name, skipped)]
        self._texts: dict[str, str] = {}
        self._pythons: dict[str, dict[str, list[Entry]]] = {}
        self._keys: dict[str, Written] = {}
        self._chosen: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}

    def chosen(self, globs: Iterable[str], but: Iterable[str] = ()) -> Iterator[str]:
        return iter(self._matching(tuple(globs), tuple(but)))

    def _matching(self, globs: tuple[str, ...], but: tuple[str, ...]) -> list[str]:
        if (globs, but) not in self._chosen:
            chosen = [name for name in self.names if matches(name, globs) and not matches(name, but)]
            self._chosen[globs, but] = chosen
        return self._chosen[globs, but]

    def text(self, name: str) -> str:
        """Empty for what is no text, or too large to have been written by a person."""
        if name not in self._texts:
            self._texts[name] = _text(self.root / name)
        return self._texts[name]

    def python(self, name: str, kind: Kind) -> list[Entry]:
        if not name.endswith(".py"):
            return []
        if name not in self._pythons:
            found: dict[str, list[Entry]] = {}
            for entry in pythons.entries(self.text(name)):
                found.setdefault(entry.kind, []).append(entry)
            self._pythons[name] = found
        return self._pythons[name].get(kind, [])

    def keys(self, name: str) -> Written:
        if name not in self._keys:
            self._keys[name] = parse(name, self.text(name))
        return self._keys[name]


def matches(name: str, globs: Iterable[str]) -> bool:
    """Whether a path is one of the globs; `**` stands for any folders, also none."""
    return any(_compiled(glob).fullmatch(name) for glob in globs)


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts))


def _listed(root: Path) -> list[str]:
    """What git knows or would take in; without git, everything outside folders that nobody writes by hand."""
    listed = git.said(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", seconds=_SECONDS)
    if listed is None:
        return list(_walked(root))
    return [name for name in {*listed.split("\0")} if name and (root / name).is_file()]


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _NEVER]
        yield from (Path(folder, name).relative_to(root).as_posix() for name in names)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""
