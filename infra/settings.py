"""One environment's settings: a single model over every section of `Pulumi.<env>.yaml`. Loads without Pulumi.

The same model reads the file (`load`) and, in a running program, Pulumi's configuration (`from_pulumi`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from infra import document, sealed
from infra.cluster import Cluster, ClusterSettings, resolve
from infra.cluster import defaults as cluster_defaults
from infra.document import Document, place_text
from infra.faults import Fault, Place, SettingsError, expectation, nearest
from infra.model import SECTIONS, Settings, completed, tier_of
from infra.sealed import Decrypt, SecretPath, secret_paths

__all__ = [
    "SecretPath",
    "Settings",
    "SettingsError",
    "cluster_of",
    "from_pulumi",
    "load",
    "missing_secrets",
    "secret_paths",
]


def load(path: Path, environment: str, *, decrypt: Decrypt | None = None, placeholders: bool = False) -> Settings:
    """The settings in a file. Raises SettingsError with every fault.

    Without `decrypt`, placeholders stand in for encrypted values; with `placeholders`, also for required ones that are
    missing.
    """
    read = document.read(path)
    unencrypted = list(sealed.in_plain_text(read))
    given = {name: sealed.opened(content, (name,), decrypt) for name, content in read.sections.items()}
    if placeholders:
        given = sealed.with_placeholders(given, environment)
    return _validated(given, environment, read, unencrypted)


def from_pulumi(environment: str, *, placeholders: bool = False) -> Settings:
    """The settings in the running program's Pulumi configuration, secrets decrypted by the engine."""
    from pulumi.runtime import config

    given = {name: _section(config.get_config(f"{document.PROJECT}:{name}")) for name in _configured()}
    if placeholders:
        given = sealed.with_placeholders(given, environment)
    with suppress(SettingsError):
        return _validated(given, environment, Document(f"Pulumi.{environment}.yaml", given, {}), [])
    return _validated(given, environment, _beside_program(environment, given), [])


def missing_secrets(path: Path, environment: str) -> list[SecretPath]:
    """Required secrets that the file does not hold yet, in the order of the model."""
    return sealed.absent(document.read(path).sections, environment)


def cluster_of(path: Path, environment: str) -> Cluster:
    """Only which cluster the environment lives in: a fault anywhere else in the file does not stop a rollback."""
    read = document.read(path)
    given = read.sections.get("cluster") or {}
    if isinstance(given, Mapping):
        given = {**cluster_defaults(environment), **given}
    try:
        return resolve(ClusterSettings.model_validate(given))
    except ValidationError as error:
        raise SettingsError(_faults(error, ClusterSettings, environment, read, ("cluster",))) from None


def _validated(given: Mapping[str, Any], environment: str, read: Document, found: list[Fault]) -> Settings:
    faults = [*found, *_unknown_sections(given, read)]
    known = {name: content for name, content in given.items() if name in SECTIONS}
    try:
        whole = sealed.spared(completed(known, environment))
        settings = Settings.model_validate(whole, context={"tier": tier_of(known, environment)})
    except ValidationError as error:
        faults += _faults(error, Settings, environment, read, ())
    if faults:
        raise SettingsError(faults)
    return settings


def _unknown_sections(given: Mapping[str, Any], read: Document) -> Iterator[Fault]:
    for name in given:
        if name not in SECTIONS:
            yield Fault(
                read.file, read.line((name,)), place_text(name, ()), f"unknown section{nearest(name, SECTIONS)}"
            )


def _faults(
    error: ValidationError, model: type[BaseModel], environment: str, read: Document, under: Place
) -> list[Fault]:
    found = []
    for detail in error.errors(include_url=False):
        place = (*under, *detail["loc"])
        path = place_text(str(place[0]), place[1:]) if place else ""
        line = read.line(place) if read.lines else 0
        found.append(Fault(read.file, line, path, expectation(detail, model, environment)))
    return found


def _beside_program(environment: str, given: Mapping[str, Any]) -> Document:
    """The lines of the file that the configuration most likely came from, where there is one."""
    import pulumi

    path = Path(pulumi.get_root_directory() or ".") / f"Pulumi.{environment}.yaml"
    try:
        return replace(document.read(path), sections=given)
    except SettingsError:
        return Document(path.name, given, {})


def _configured() -> list[str]:
    """Names of the sections that Pulumi's configuration holds, unknown ones included."""
    from pulumi.runtime import config

    prefix = f"{document.PROJECT}:"
    keys = {*config.CONFIG.get(), *config.get_config_env()}
    return sorted(key.removeprefix(prefix) for key in keys if key.startswith(prefix))


def _section(text: str | None) -> Any:
    """A section as data; text that is none stays as it is, for the model to refuse."""
    try:
        return json.loads(text or "null")
    except json.JSONDecodeError:
        return text
