"""A project in which faults are planted, and what a validation then finds that it did not find before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.validate.checks import validate
from cli.validate.model import Finding


@dataclass
class Planted:
    """A copy of the project. `line` numbers count from 1."""

    root: Path
    before: frozenset[Finding]

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the one `old` in a file."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} has {text.count(old)} of {old!r}"
        path.write_text(text.replace(old, new))

    def append(self, file: str, text: str) -> None:
        path = self.root / file
        path.write_text(path.read_text() + text)

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def line(self, file: str, text: str, nth: int = 1) -> int:
        """The line of the nth appearance of a text."""
        lines = [at for at, line in enumerate((self.root / file).read_text().splitlines(), 1) if text in line]
        return lines[nth - 1]

    def found(self) -> list[Finding]:
        """What is found now and was not before, by its message and places: lines may have moved."""
        known = {(each.rule, each.message, each.places[0].path) for each in self.before}
        now = validate(self.root).findings
        return [each for each in now if (each.rule, each.message, each.places[0].path) not in known]

    def said(self) -> list[tuple[str, str, list[str]]]:
        """The same as rule, level and places."""
        return [(each.rule, each.level.value, [str(place) for place in each.places]) for each in self.found()]
