"""The model of one environment's settings, section by section, and what its tier says where the file is silent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from pydantic import Field, model_validator

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
from components.rollout import settings as rollout_settings
from infra.cluster import TIERS, ClusterSettings
from infra.cluster import defaults as cluster_defaults
from infra.review import ReviewSettings
from infra.review import defaults as review_defaults


class Settings(Section):
    """Everything that an environment's file says, with its tier's defaults."""

    environment: str
    cluster: ClusterSettings
    app: app_settings.AppSettings
    rollout: rollout_settings.RolloutSettings
    postgres: postgres_settings.PostgresSettings
    redis: redis_settings.RedisSettings
    prometheus: prometheus_settings.PrometheusSettings
    alertmanager: alertmanager_settings.AlertmanagerSettings
    grafana: grafana_settings.GrafanaSettings
    loki: loki_settings.LokiSettings
    collector: collector_settings.CollectorSettings
    node_exporter: node_exporter_settings.NodeExporterSettings = Field(alias="node-exporter")
    review: ReviewSettings

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
        for name, part in self.app.parts.items():
            for called in part.calls:
                if not there.get(called, True):
                    raise ValueError(f"app: {name} calls {called}, which is not enabled")
        return self


SECTIONS: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    "cluster": lambda _: {},
    "app": app_settings.defaults,
    "rollout": rollout_settings.defaults,
    "postgres": postgres_settings.defaults,
    "redis": redis_settings.defaults,
    "prometheus": prometheus_settings.defaults,
    "alertmanager": alertmanager_settings.defaults,
    "grafana": grafana_settings.defaults,
    "loki": loki_settings.defaults,
    "collector": collector_settings.defaults,
    "node-exporter": node_exporter_settings.defaults,
    "review": review_defaults,
}
"""Section name to what a file of that tier is merged over."""


def completed(given: Mapping[str, Any], environment: str) -> dict[str, Any]:
    """The sections as given, over the defaults of the environment's tier."""
    tier = tier_of(given, environment)
    under = {name: defaults(tier) for name, defaults in SECTIONS.items()} | {"cluster": cluster_defaults(environment)}
    present = {name: content for name, content in given.items() if content is not None}
    return {**merged(under, present), "environment": environment}


def tier_of(given: Mapping[str, Any], environment: str) -> str:
    """The tier that the sections state or the environment's name says; dev where neither does."""
    section = given.get("cluster")
    stated = section.get("tier") if isinstance(section, Mapping) else None
    return str(stated) if stated in TIERS else TIERS.get(environment, "dev")


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
