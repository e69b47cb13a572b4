"""Grafana as a workload. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.grafana import config
from components.grafana.settings import GrafanaSettings
from components.workload import (
    Accepts,
    Calls,
    ConfigFiles,
    Drain,
    Port,
    Probe,
    Probes,
    Scratch,
    SecretFiles,
    Storage,
    Workloads,
    WorkloadSpec,
)

if TYPE_CHECKING:
    from components.workload.component import Address

NAME: Final = "grafana"


@dataclass(frozen=True)
class Shown:
    """The servers that Grafana shows."""

    prometheus: Address
    loki: Address | None
    alertmanager: Address | None

    @property
    def present(self) -> tuple[Address, ...]:
        return tuple(server for server in (self.prometheus, self.loki, self.alertmanager) if server)


def workload(settings: GrafanaSettings, image: str, shown: Shown) -> WorkloadSpec:
    """One Grafana, its database on a volume of its own; what it shows is provisioned."""
    dashboards = config.dashboards(loki=shown.loki is not None)
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="stateful",
        env=config.variables(),
        ports=(Port(name="http", number=config.PORT),),
        config=(
            ConfigFiles(name="datasources", path=config.DATASOURCES_PATH, files=_datasources(shown)),
            ConfigFiles(name="providers", path=config.PROVIDERS_PATH, files=config.providers()),
            ConfigFiles(name="dashboards", path=config.DASHBOARDS_PATH, files=dashboards),
        ),
        secrets=(SecretFiles(path=config.SECRETS_PATH, files=config.secret_files(settings.admin_password)),),
        scratch=(Scratch(name="tmp", path="/tmp"),),
        storage=(
            Storage(name="data", path=config.DATA_PATH, size=settings.storage, storage_class=settings.storage_class),
        ),
        resources=settings.resources.resources(),
        probes=Probes(
            startup=Probe(port="http", path="/api/health", period=2, failures=90),
            readiness=Probe(port="http", path="/api/health", period=5),
            liveness=Probe(port="http", path="/api/health", period=10, timeout=5, failures=6),
        ),
        drain=Drain(pause=2, longest_request=15),
        user=472,
        accepts=(Accepts(source=Workloads(name="prometheus")),),
        calls=tuple(Calls(target=Workloads(name=server.name), ports=(server.port,)) for server in shown.present),
    )


def _datasources(shown: Shown) -> dict[str, str]:
    return config.datasources(
        prometheus=shown.prometheus.url,
        loki=shown.loki.url if shown.loki else None,
        alertmanager=shown.alertmanager.url if shown.alertmanager else None,
    )
