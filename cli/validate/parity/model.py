"""How environments differ: settings and what they come to, expected differences apart from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
NOWHERE = "not there"


@dataclass(frozen=True)
class Cell:
    """What one environment has, and where from: `Pulumi.dev.yaml:9`, `tier dev`, `default`; empty: nowhere."""

    value: Any
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "source": self.source}


@dataclass(frozen=True)
class Row:
    """One setting, or one field of resources, that differs. `expected`: why it is meant to; empty: it may be a mistake.

    `resources`: those that differ alike in this field; empty for a setting.
    """

    path: str
    cells: Mapping[str, Cell]
    expected: str = ""
    resources: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "environments": {name: cell.to_json() for name, cell in self.cells.items()},
            "expected": self.expected,
            "resources": list(self.resources),
        }


@dataclass(frozen=True)
class Lone:
    """A resource that some environments do not have."""

    resource: str
    only_in: tuple[str, ...]
    expected: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"resource": self.resource, "only_in": list(self.only_in), "expected": self.expected}


@dataclass(frozen=True)
class Parity:
    """Everything in which environments differ. `secrets`: `present`, `absent`, or `same ciphertext` in each."""

    environments: tuple[str, ...]
    settings: tuple[Row, ...]
    secrets: tuple[Row, ...]
    lone: tuple[Lone, ...]
    fields: tuple[Row, ...]

    @property
    def unexpected(self) -> int:
        """How many differences nobody expects of the tiers."""
        rows = (*self.settings, *self.secrets, *self.fields)
        return sum(not row.expected for row in rows) + sum(not each.expected for each in self.lone)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": "parity",
            "environments": list(self.environments),
            "unexpected": self.unexpected,
            "settings": [row.to_json() for row in self.settings],
            "secrets": [row.to_json() for row in self.secrets],
            "only_in_some": [each.to_json() for each in self.lone],
            "fields": [row.to_json() for row in self.fields],
        }
