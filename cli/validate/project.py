"""A project as it is validated: each environment's file with its settings, or every fault that it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cli.validate.model import Finding, Level, Place
from cli.validate.written import Written, parse
from components.environment import TIERS
from infra import document, sealed
from infra import settings as loading
from infra.document import Document, place_text
from infra.faults import Fault, SettingsError
from infra.settings import Settings

_INITIALISED: Final = ("encryptionsalt", "secretsprovider", "encryptedkey")


@dataclass(frozen=True)
class Environment:
    """One `Pulumi.<env>.yaml`. `settings` is None where it has faults."""

    name: str
    file: str
    written: Written
    read: Document
    settings: Settings | None
    faults: tuple[Fault, ...] = ()

    @property
    def sections(self) -> Mapping[str, Any]:
        """The sections as the file has them, without defaults; encrypted leaves as they are."""
        return self.read.sections

    @cached_property
    def opened(self) -> dict[str, Any]:
        """The same with placeholders for all secrets, also for absent ones."""
        given = {name: sealed.opened(content, (name,), None) for name, content in self.sections.items()}
        return sealed.with_placeholders(given, self.name)

    @property
    def initialised(self) -> bool:
        """Whether `turnout init` has ever been run for it."""
        return any(key in self.written.keys for key in _INITIALISED)

    def says(self, *place: str | int) -> bool:
        """Whether the file itself has something at that place."""
        return place in self.read.lines

    def value(self, *place: str | int) -> Any:
        """What the file itself has there; None for nothing."""
        found: Any = self.sections
        for part in place:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def at(self, *place: str | int) -> Place:
        """Where the file has it, or the nearest thing around it."""
        return Place(self.file, self.read.line(place), place_text(str(place[0]), place[1:]))

    def finding(self, rule: str, level: Level, where: Place, message: str, remedy: str, *others: Place) -> Finding:
        return Finding(rule, level, (where, *others), message, remedy, self.name)


@dataclass(frozen=True)
class Project:
    """The folder, its environments by name, and the moment that ages are counted from."""

    root: Path
    environments: Mapping[str, Environment]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def valid(self) -> list[Environment]:
        """The environments whose settings load."""
        return [each for each in self.environments.values() if each.settings is not None]

    def settings(self) -> list[tuple[Environment, Settings]]:
        return [(each, each.settings) for each in self.environments.values() if each.settings is not None]


Check = Callable[[Project], "list[Finding]"]


def load(root: Path) -> Project:
    """Reads every `Pulumi.<env>.yaml` of a project. Faults are kept with their environment, never raised."""
    return Project(root, {name: _environment(root / f"Pulumi.{name}.yaml", name) for name in names(root)})


def names(root: Path) -> list[str]:
    """The environments that have a file, by tier and then by name."""
    found = sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in root.glob("Pulumi.*.yaml"))
    return sorted(found, key=lambda name: (TIERS.index(name) if name in TIERS else -1, name))


def _environment(path: Path, name: str) -> Environment:
    written = parse(path.name, path.read_text(encoding="utf-8"))
    if written.faults:
        return Environment(name, path.name, written, Document(path.name, {}, {}), None)
    try:
        read = document.read(path)
    except SettingsError as error:
        return Environment(name, path.name, written, Document(path.name, {}, {}), None, error.faults)
    try:
        settings = loading.load(path, name, placeholders=True)
    except SettingsError as error:
        return Environment(name, path.name, written, read, None, error.faults)
    return Environment(name, path.name, written, read, settings)
