"""A YAML file that a person keeps: read, changed in places, and written back whole, its comments and order kept."""

from __future__ import annotations

import difflib
import io
import os
from pathlib import Path
from typing import Any

from cli.errors import TurnoutError


class YamlFile:
    """The file's `document`, to be changed in place. Nothing is written before `save`."""

    def __init__(self, path: Path) -> None:
        from ruamel.yaml import YAML

        self.path = path
        self._yaml = YAML(typ="rt")
        self._yaml.preserve_quotes = True
        self._yaml.width = 4096
        self._before = path.read_text()
        self.document: Any = self._yaml.load(self._before) or {}
        self._same = self._dumped()

    @property
    def text(self) -> str:
        """The file as `save` writes it: lines that did not change stay as they were written, spacing too."""
        before, same = self._before.splitlines(keepends=True), self._same.splitlines(keepends=True)
        after = self._dumped().splitlines(keepends=True)
        if len(before) != len(same):
            return "".join(after)
        blocks = difflib.SequenceMatcher(None, same, after, autojunk=False).get_opcodes()
        return "".join(
            line
            for what, first, last, start, end in blocks
            for line in (before[first:last] if what == "equal" else after[start:end])
        )

    def diff(self) -> list[str]:
        """What `save` changes, as a unified diff; empty: nothing."""
        before, after = self._before.splitlines(), self.text.splitlines()
        name = self.path.name
        return list(difflib.unified_diff(before, after, name, name, n=1, lineterm=""))

    def _dumped(self) -> str:
        out = io.StringIO()
        self._yaml.dump(self.document, out)
        return out.getvalue()

    def save(self) -> None:
        """Write the file whole or not at all, with the mode that it had. Raises TurnoutError."""
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            unfinished.write_text(self.text)
            unfinished.chmod(self.path.stat().st_mode)
            unfinished.replace(self.path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise TurnoutError(f"{self.path} could not be written", why=str(error)) from error


def put(place: Any, path: tuple[str, ...], value: Any) -> None:
    """Set what lies at `path`; mappings on the way are made where there are none."""
    for step in path[:-1]:
        if place.get(step) is None:
            place[step] = {}
        place = place[step]
    place[path[-1]] = value
