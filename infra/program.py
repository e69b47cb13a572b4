"""The Pulumi program: one environment from its settings. `turnout` runs `program` inline, `pulumi up` by `__main__`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import pulumi

from components.alertmanager.component import Alertmanager
from components.app.component import App, Databases
from components.collector.component import Collector
from components.environment import Environment, Namespaces
from components.grafana.component import Grafana
from components.grafana.workload import Shown
from components.loki.component import Loki
from components.monitoring.server import Server
from components.namespace import EnvironmentNamespaces
from components.node_exporter.component import NodeExporter
from components.prometheus.component import Prometheus
from components.prometheus.ruleset import Sources
from components.release import Release
from components.workload.component import Address
from infra import cluster
from infra.providers import providers
from infra.settings import Settings, from_pulumi

WITHOUT_GRAFANA: Final = "Grafana is left out: its image comes from a public registry, and this cluster reaches none."


def program() -> None:
    """Declares the environment that the selected stack names."""
    build(from_pulumi(pulumi.get_stack()))


def hermetic() -> None:
    """The same, with placeholders for required secrets that are not set: for renders without a passphrase."""
    build(from_pulumi(pulumi.get_stack(), placeholders=True))


def build(settings: Settings) -> None:
    """Namespaces, then the monitoring and the app side by side, then the record of what is released."""
    environment = declare_environment(settings)
    monitoring = declare_monitoring(settings, environment)
    app = declare_app(settings, environment, monitoring)
    release = Release("release", environment, app.manifests, after=[workload.controller for workload in app.workloads])
    export(settings, app, release)


def declare_environment(settings: Settings) -> Environment:
    """The environment with its namespaces, in which everything else is declared."""
    own, adopting = providers(cluster.resolve(settings.cluster), settings.cluster)
    environment = Environment(
        name=settings.environment,
        tier=settings.tier,
        namespaces=Namespaces.of(settings.environment),
        image=partial(cluster.image, settings.cluster),
        registry=settings.cluster.pulls,
        cluster=own,
        adopting=adopting,
        api_ports=settings.cluster.api_ports,
    )
    return replace(environment, declared=EnvironmentNamespaces("namespaces", environment).declared)


@dataclass(frozen=True)
class Monitoring:
    """What runs of the monitoring."""

    loki: Loki | None
    collector: Collector | None
    grafana: Grafana | None


def declare_monitoring(settings: Settings, environment: Environment) -> Monitoring:
    loki = Loki("loki", environment, settings.loki) if settings.loki.enabled else None
    collector = (
        Collector("collector", environment, settings.collector, loki=loki) if settings.collector.enabled else None
    )
    if settings.node_exporter.enabled:
        NodeExporter("node-exporter", environment, settings.node_exporter)
    alertmanager = None
    if settings.alertmanager.enabled:
        alertmanager = Alertmanager("alertmanager", environment, settings.alertmanager)
    if not settings.prometheus.enabled:
        return Monitoring(loki, collector, None)
    sources = _sources(settings, environment)
    prometheus = Prometheus("prometheus", environment, settings.prometheus, sources=sources)
    grafana = None
    if sources.grafana:
        shown = Shown(prometheus.service, _address(loki), _address(alertmanager))
        grafana = Grafana("grafana", environment, settings.grafana, shown=shown)
    return Monitoring(loki, collector, grafana)


def declare_app(settings: Settings, environment: Environment, monitoring: Monitoring) -> App:
    app = settings.app
    return App(
        "app",
        environment,
        app,
        image=cluster.app_image(settings.cluster, app.image, app.version, app.digest),
        databases=Databases(
            postgres=settings.postgres if settings.postgres.enabled else None,
            redis=settings.redis if settings.redis.enabled else None,
        ),
        telemetry=monitoring.collector.workload.address("otlp-http") if monitoring.collector else None,
    )


def export(settings: Settings, app: App, release: Release) -> None:
    """What `turnout` and other stacks read of this one."""
    pulumi.export("environment", settings.environment)
    pulumi.export("release", release.record_name)
    pulumi.export("services", {name: address.url for name, address in app.services.items()})
    pulumi.export("versions", {"app": settings.app.version})


def _address(server: Server | None) -> Address | None:
    return server.service if server else None


def _sources(settings: Settings, environment: Environment) -> Sources:
    return Sources(
        app=(*settings.app.services, *settings.app.workers),
        loki=settings.loki.enabled,
        collector=settings.collector.enabled,
        node_exporter=settings.node_exporter.enabled,
        grafana=_with_grafana(settings, environment),
    )


def _with_grafana(settings: Settings, environment: Environment) -> bool:
    if settings.grafana.enabled and not environment.registry:
        pulumi.info(WITHOUT_GRAFANA)
        return False
    return settings.grafana.enabled
