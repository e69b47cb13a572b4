"""One environment's settings: a single model over every section of `Pulumi.<env>.yaml`. Loads without Pulumi.

The same model reads the file (`load`) and, in a running program, Pulumi's configuration (`from_pulumi`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from components.alertmanager import settings as alertmanager_settings
from components.app import settings as app_settings
from components.collector import settings as collector_settings
from components.environment import Tier
from components.grafana import settings as grafana_settings
from components.loki import settings as loki_settings
from components.monitoring.settings import Section
from components.node_exporter import settings as node_exporter_settings
from components.postgres import settings as postgres_settings
from components.prometheus import settings as prometheus_settings
from components.redis import settings as redis_settings
from components.secret import Secret
from infra import document
from infra.cluster import TIERS, Cluster, ClusterSettings, resolve
from infra.cluster import defaults as cluster_defaults
from infra.document import Document, encrypted, place_text
from infra.faults import Fault, Place, SettingsError, expectation, nearest, secret_leaves

__all__ = ["Settings", "SettingsError", "from_pulumi", "load", "missing_secrets", "secret_paths"]

Decrypt = Callable[[str], str]


class Settings(Section):
    """Everything that an environment's file says, with its tier's defaults."""

    environment: str
    cluster: ClusterSettings
    app: app_settings.AppSettings
    postgres: postgres_settings.PostgresSettings
    redis: redis_settings.RedisSettings
    prometheus: prometheus_settings.PrometheusSettings
    alertmanager: alertmanager_settings.AlertmanagerSettings
    grafana: grafana_settings.GrafanaSettings
    loki: loki_settings.LokiSettings
    collector: collector_settings.CollectorSettings
    node_exporter: node_exporter_settings.NodeExporterSettings = Field(alias="node-exporter")

    @property
    def tier(self) -> Tier:
        return self.cluster.tier

    @model_validator(mode="after")
    def _digest_outside_a_sandbox(self) -> Self:
        if not self.cluster.sandbox and not self.app.digest:
            raise ValueError("app.digest: required outside a sandbox, because a tag can be moved")
        return self

    @model_validator(mode="after")
    def _databases_are_there(self) -> Self:
        there = {"postgres": self.postgres.enabled, "redis": self.redis.enabled}
        parts: dict[str, app_settings.Part] = {**self.app.services, **self.app.workers, **self.app.jobs}
        for name, part in parts.items():
            for called in part.calls:
                if not there.get(called, True):
                    raise ValueError(f"app: {name} calls {called}, which is not enabled")
        return self


SECTIONS: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    "cluster": lambda _: {},
    "app": app_settings.defaults,
    "postgres": postgres_settings.defaults,
    "redis": redis_settings.defaults,
    "prometheus": prometheus_settings.defaults,
    "alertmanager": alertmanager_settings.defaults,
    "grafana": grafana_settings.defaults,
    "loki": loki_settings.defaults,
    "collector": collector_settings.defaults,
    "node-exporter": node_exporter_settings.defaults,
}
"""Section name to what a file of that tier is merged over."""


@dataclass(frozen=True)
class SecretPath:
    """A secret leaf: its section, its path in it (`*`: any key or index), and whether it must be there."""

    section: str
    path: tuple[str, ...]
    required: bool


def load(path: Path, environment: str, *, decrypt: Decrypt | None = None, placeholders: bool = False) -> Settings:
    """The settings in a file. Raises SettingsError with every fault.

    Without `decrypt`, placeholders stand in for encrypted values; with `placeholders`, also for required ones that are
    missing.
    """
    read = document.read(path)
    unencrypted = list(_plain_secrets(read))
    given = {name: _opened(content, (name,), decrypt) for name, content in read.sections.items()}
    if placeholders:
        given = _with_placeholders(given, environment)
    return _validated(given, environment, read, unencrypted)


def from_pulumi(environment: str, *, placeholders: bool = False) -> Settings:
    """The settings in the running program's Pulumi configuration, secrets decrypted by the engine."""
    from pulumi.runtime import config

    given = {name: _section(config.get_config(f"{document.PROJECT}:{name}")) for name in _configured()}
    if placeholders:
        given = _with_placeholders(given, environment)
    try:
        return _validated(given, environment, Document(f"Pulumi.{environment}.yaml", given, {}), [])
    except SettingsError:
        return _validated(given, environment, _beside_program(environment, given), [])


def secret_paths() -> list[SecretPath]:
    """Every leaf of the settings that is a secret."""
    return [SecretPath(path[0], path[1:], required) for path, required in secret_leaves(Settings)]


def missing_secrets(path: Path, environment: str) -> list[SecretPath]:
    """Required secrets that the file does not hold yet, in the order of the model."""
    read = document.read(path)
    return [leaf for leaf in _generated(read.sections, environment) if not _present(read.sections, leaf)]


def cluster_of(path: Path, environment: str) -> Cluster:
    """Only which cluster the environment lives in: a fault anywhere else in the file does not stop a rollback."""
    read = document.read(path)
    given = {**cluster_defaults(environment), **(read.sections.get("cluster") or {})}
    try:
        return resolve(ClusterSettings.model_validate(given))
    except ValidationError as error:
        raise SettingsError(_faults(error, ClusterSettings, environment, read, ("cluster",))) from None


def merged(under: Any, over: Any) -> Any:
    """`over` wins; mappings are merged key by key, and `*` in `under` stands for every key of `over`."""
    if not isinstance(under, Mapping) or not isinstance(over, Mapping | None):
        return over
    given = over or {}
    base = {key: value for key, value in under.items() if key != "*"}
    if "*" in under:
        base |= dict.fromkeys(given, under["*"])
    completed = {key: merged(value, given[key]) if key in given else _alone(value) for key, value in base.items()}
    return {**given, **completed}


def _alone(default: Any) -> Any:
    return merged(default, {}) if isinstance(default, Mapping) else default


def _validated(given: Mapping[str, Any], environment: str, read: Document, found: list[Fault]) -> Settings:
    faults = [*found, *_unknown_sections(given, read)]
    known = {name: content for name, content in given.items() if name in SECTIONS}
    try:
        settings = Settings.model_validate(_complete(known, environment), context={"tier": _tier(known, environment)})
    except ValidationError as error:
        faults += _faults(error, Settings, environment, read, ())
    if faults:
        raise SettingsError(faults)
    return settings


def _complete(given: Mapping[str, Any], environment: str) -> dict[str, Any]:
    tier = _tier(given, environment)
    under = {name: defaults(tier) for name, defaults in SECTIONS.items()} | {"cluster": cluster_defaults(environment)}
    present = {name: content for name, content in given.items() if content is not None}
    return {**merged(under, present), "environment": environment}


def _tier(given: Mapping[str, Any], environment: str) -> str:
    section = given.get("cluster")
    stated = section.get("tier") if isinstance(section, Mapping) else None
    return str(stated) if stated in TIERS else TIERS.get(environment, "dev")


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


def _opened(value: Any, place: Place, decrypt: Decrypt | None) -> Any:
    if encrypted(value):
        return Secret(
            decrypt(value["secure"]) if decrypt else f"placeholder for {place_text(str(place[0]), place[1:])}"
        )
    if isinstance(value, Mapping):
        return {key: _opened(item, (*place, key), decrypt) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item, (*place, at), decrypt) for at, item in enumerate(value)]
    return value


def _plain_secrets(read: Document) -> Iterator[Fault]:
    for leaf in secret_paths():
        for place, value in _matching(read.sections.get(leaf.section), leaf.path, (leaf.section,)):
            if not encrypted(value):
                command = f"pulumi config set --secret --path '{place_text(leaf.section, place[1:])}'"
                words = f"a secret in plain text; remove it and set it by `{command}`"
                yield Fault(read.file, read.line(place), place_text(leaf.section, place[1:]), words)


def _matching(value: Any, path: Sequence[str], place: Place) -> Iterator[tuple[Place, Any]]:
    if not path:
        yield place, value
    elif isinstance(value, Mapping):
        for key in value if path[0] == "*" else [key for key in value if key == path[0]]:
            yield from _matching(value[key], path[1:], (*place, key))
    elif isinstance(value, list) and path[0] == "*":
        for at, item in enumerate(value):
            yield from _matching(item, path[1:], (*place, at))


def _generated(given: Mapping[str, Any], environment: str) -> list[SecretPath]:
    """Required secrets that any value will do for: those at the top of an enabled section."""
    complete = _complete({name: content for name, content in given.items() if name in SECTIONS}, environment)
    leaves = [leaf for leaf in secret_paths() if leaf.required and len(leaf.path) == 1]
    return [leaf for leaf in leaves if (complete.get(leaf.section) or {}).get("enabled", True)]


def _present(given: Mapping[str, Any], leaf: SecretPath) -> bool:
    return any(True for _ in _matching(given.get(leaf.section), leaf.path, ()))


def _with_placeholders(given: Mapping[str, Any], environment: str) -> dict[str, Any]:
    filled = dict(given)
    for leaf in _generated(given, environment):
        if not _present(given, leaf):
            stand_in = Secret(f"placeholder for {place_text(leaf.section, leaf.path)}")
            filled[leaf.section] = {**(filled.get(leaf.section) or {}), leaf.path[0]: stand_in}
    return filled


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
