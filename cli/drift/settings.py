"""The part of an environment's settings file that is about drift: read by itself, and written with comments kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.drift.passing import Entry
from cli.errors import UsageError

if TYPE_CHECKING:
    from cli.yamlfile import YamlFile
    from infra.review import IgnoredDrift

SECTION: Final = ("config", "turnout:review", "drift")


def read(root: Path, environment: str) -> Mapping[str, IgnoredDrift]:
    """What is passed over, by name. Raises UsageError, with file and line, for settings that are wrong."""
    section = _section(file_of(root, environment))
    if not section:
        return {}
    from pydantic import ValidationError

    from infra.review import DriftSettings

    try:
        return DriftSettings.model_validate(section).ignore
    except ValidationError:
        from cli.engine.run import check_settings

        return check_settings(root, environment).review.drift.ignore


def file_of(root: Path, environment: str) -> Path:
    file = root / f"Pulumi.{environment}.yaml"
    if not file.is_file():
        raise UsageError(f"there is no environment {environment}", why=f"{file.name} does not exist in {root}")
    return file


def with_ignored(root: Path, environment: str, entries: Iterable[Entry]) -> YamlFile:
    """The settings file with these entries, not yet saved."""
    from cli.yamlfile import YamlFile, put

    changed = YamlFile(file_of(root, environment))
    for entry in entries:
        put(changed.document, (*SECTION, "ignore", entry.name), entry.content)
    return changed


def _section(file: Path) -> Any:
    import yaml

    try:
        place = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise UsageError(f"{file.name} is not YAML", why=str(error).replace("\n", " ")) from error
    for step in SECTION:
        place = place.get(step) if isinstance(place, dict) else None
    return place or {}
