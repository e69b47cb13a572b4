"""Where in an environment's settings file something has its cause, as far as its name tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cli.review.model import Finding

if TYPE_CHECKING:
    from infra.document import Document
    from infra.faults import Place

_PARTS = ("services", "workers", "jobs")
_PREFIX = "turnout:"


class Lines:
    """Of one environment's settings file; a file that cannot be read has none."""

    def __init__(self, root: Path, environment: str) -> None:
        self.file = f"Pulumi.{environment}.yaml"
        self._path = root / self.file

    def of(self, finding: Finding) -> int:
        """The line of what the finding speaks of; 0 where the file does not speak of it."""
        if self._read is None:
            return 0
        return next((self._read.lines[place] for place in _candidates(finding) if place in self._read.lines), 0)

    @cached_property
    def _read(self) -> Document | None:
        from infra import document
        from infra.faults import SettingsError

        try:
            return document.read(self._path)
        except SettingsError:
            return None


def _candidates(finding: Finding) -> Iterator[Place]:
    """Places of the settings, the nearest first: `Deployment prod/api-a` is made from `app.services.api`."""
    if finding.where.startswith(_PREFIX):
        place = tuple(finding.where.removeprefix(_PREFIX).split("."))
        yield from ((*place, finding.path), place)
        return
    name = finding.where.rpartition(" ")[2].rpartition("/")[2]
    for part in (name, name.removesuffix("-a").removesuffix("-b")):
        yield from (("app", group, part) for group in _PARTS)
    words = name.split("-")
    yield from (("-".join(words[:count]),) for count in range(len(words), 0, -1))
