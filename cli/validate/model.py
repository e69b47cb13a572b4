"""What a validation finds: which rule, how bad, where (every place that takes part), and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = 1


class Level(StrEnum):
    """Error: wrong, and refused. Warning: contradicts or repeats something. Note: worth knowing, never refused."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True)
class Place:
    """Somewhere in the project. `line` is 0 and `path` empty where there is none to name."""

    file: str
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}" if self.path else where

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "path": self.path}


@dataclass(frozen=True)
class Finding:
    """One thing found. `places`: the one to look at first, then those that it contradicts or repeats.

    `environment` is empty for what concerns the whole project. `accepted`: who agreed to it, and why.
    """

    rule: str
    level: Level
    places: tuple[Place, ...]
    message: str
    remedy: str
    environment: str = ""
    accepted: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "level": self.level.value,
            "environment": self.environment,
            "places": [place.to_json() for place in self.places],
            "message": self.message,
            "remedy": self.remedy,
            "accepted": self.accepted,
        }


@dataclass(frozen=True)
class Report:
    """Everything that one run found. `environments` are those that were asked for."""

    environments: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float = 0.0

    def of(self, level: Level) -> list[Finding]:
        """Those of a level that nobody accepted."""
        return [finding for finding in self.findings if finding.level is level and not finding.accepted]

    def fails(self, *, strict: bool) -> bool:
        """Whether the settings are wrong. `strict`: warnings are errors too."""
        return bool(self.of(Level.ERROR) or (strict and self.of(Level.WARNING)))

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": "validation",
            "environments": list(self.environments),
            "findings": [finding.to_json() for finding in self.findings],
            "counts": {level.value: len(self.of(level)) for level in Level},
            "seconds": round(self.seconds, 3),
        }
