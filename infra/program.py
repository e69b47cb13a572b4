"""The Pulumi program: one environment from its settings. `turnout` runs `program` inline, `pulumi up` by `__main__`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import pulumi

from components.access.component import Access
from components.alertmanager.component import Alertmanager
from components.app.component import App, Databases
from components.collector.component import Collector
from components.environment import Environment, Namespaces
from components.grafana.component import Grafana
from components.grafana.workload import Shown
from components.guard.component import Guard
from components.loki.component import Loki
from components.monitoring.server import Server
from components.names import RELEASE
from components.namespace import EnvironmentNamespaces
from components.node_exporter.component import NodeExporter
from components.notify import Notify
from components.prometheus.component import Prometheus
from components.prometheus.ruleset import Sources
from components.release import KeptRelease, Release
from components.tracks import Tracks
from components.workload.component import Address
from infra import cluster, last
from infra.last import Last
from infra.providers import providers
from infra.settings import Settings, from_pulumi

WITHOUT_GRAFANA: Final = "Grafana is left out: its image comes from a public registry, and this cluster reaches none."


def program(cursor: Mapping[str, Tracks] | None = None) -> None:
    """Declares the environment that the selected stack names.

    `cursor`: where each service's tracks stand, by who reads it in the cluster; None: as of the stack's last update.
    """
    build(from_pulumi(pulumi.get_stack()), last.update(), cursor)


def hermetic() -> None:
    """The same, with placeholders for required secrets that are not set, and each service's described track alone.

    For renders without a passphrase, which know no cluster and no state.
    """
    build(from_pulumi(pulumi.get_stack(), placeholders=True), last.none(), {})


def build(settings: Settings, before: Last, cursor: Mapping[str, Tracks] | None) -> None:
    environment = declare_environment(settings)
    Access("access", environment, settings.rollout.access)
    Notify("notify", environment, settings.rollout.notify)
    Guard("guard", environment)
    monitoring = declare_monitoring(settings, environment)
    app = declare_app(settings, environment, monitoring, before, cursor)
    warn_of_copies(environment, app)
    export(settings, app, declare_release(environment, app, before))


def warn_of_copies(environment: Environment, app: App) -> None:
    """Of a number that the settings changed of a service with two tracks: `turnout` alone knows which one it is of."""
    for name, (seen, wanted) in app.uncounted.items():
        pulumi.warn(
            f"{name} has two tracks and keeps {seen} copies, though the settings say {wanted}: "
            f"`turnout up {environment.name}` changes that"
        )


def declare_release(environment: Environment, app: App, before: Last) -> Release | KeptRelease:
    """The record of the release, or of the one before while a rollout is under way."""
    if app.unfinished:
        return KeptRelease("release", environment, before.release, before.record)
    return Release("release", environment, app.workloads)


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


def declare_app(
    settings: Settings,
    environment: Environment,
    monitoring: Monitoring,
    before: Last,
    cursor: Mapping[str, Tracks] | None,
) -> App:
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
        tracks=before.tracks if cursor is None else cursor,
        known=before.known,
        counted=before.copies if cursor is None else None,
    )


def export(settings: Settings, app: App, release: Release | KeptRelease) -> None:
    """What `turnout`, other stacks and this one's next update read of this one."""
    pulumi.export("environment", settings.environment)
    pulumi.export(RELEASE, release.record_name)
    pulumi.export("services", {name: address.url for name, address in app.services.items()})
    pulumi.export("versions", {"app": settings.app.version})
    pulumi.export("tracks", app.tracks)
    pulumi.export("record", [str(head) for head in release.heads])


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
