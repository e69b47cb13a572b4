"""Loki as a workload. Pure."""

from __future__ import annotations

from typing import Final

from components.loki import config
from components.loki.settings import LokiSettings
from components.monitoring.limits import go_memory
from components.workload import (
    Accepts,
    ConfigFiles,
    Drain,
    Port,
    Probe,
    Probes,
    Storage,
    Workloads,
    WorkloadSpec,
)

NAME: Final = "loki"


def workload(settings: LokiSettings, image: str) -> WorkloadSpec:
    """Loki in one process, its data on a volume of its own. It calls nobody."""
    resources = settings.resources.resources()
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="stateful",
        args=(f"-config.file={config.CONFIG_PATH}/{config.CONFIG_FILE}",),
        env=go_memory(resources),
        ports=(Port(name="http", number=config.HTTP_PORT),),
        config=(ConfigFiles(path=config.CONFIG_PATH, files=config.files(settings)),),
        storage=(
            Storage(name="data", path=config.DATA_PATH, size=settings.storage, storage_class=settings.storage_class),
        ),
        resources=resources,
        probes=Probes(
            startup=Probe(port="http", path="/ready", period=2, failures=150),
            readiness=Probe(port="http", path="/ready", period=5),
            # Not /ready, which is no while it leaves or waits: a restart would not help.
            liveness=Probe(port="http", path="/loki/api/v1/status/buildinfo", period=10, timeout=5, failures=6),
        ),
        drain=Drain(pause=0, longest_request=60),
        accepts=(
            Accepts(source=Workloads(name="collector", stack="agents")),
            Accepts(source=Workloads(name="grafana")),
            Accepts(source=Workloads(name="prometheus")),
        ),
    )
