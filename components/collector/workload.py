"""The collector as a workload on every node. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from components.collector import config
from components.collector.settings import CollectorSettings
from components.environment import Placement
from components.loki.config import HTTP_PORT as LOKI_PORT
from components.monitoring.limits import go_memory
from components.workload import (
    Accepts,
    ApiServer,
    Calls,
    ConfigFiles,
    Drain,
    HostAccess,
    HostPath,
    Outside,
    Port,
    Probe,
    Probes,
    Scratch,
    Workloads,
    WorkloadSpec,
)

NAME: Final = config.NAME
REASON: Final = "Reads the log files of pods, which the kubelet leaves on the node for root alone."


def workload(settings: CollectorSettings, placement: Placement, image: str, loki: str | None) -> WorkloadSpec:
    """One agent a node. `loki`: where logs go; None: nowhere."""
    resources = settings.resources.resources()
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="every-node",
        args=(f"--config={config.CONFIG_PATH}/{config.CONFIG_FILE}",),
        env=go_memory(resources),
        env_from_pod={config.NODE_VARIABLE: "spec.nodeName"},
        ports=(
            Port(name="otlp-grpc", number=config.OTLP_GRPC_PORT),
            Port(name="otlp-http", number=config.OTLP_HTTP_PORT),
            Port(name="metrics", number=config.METRICS_PORT, served=False),
            Port(name="health", number=config.HEALTH_PORT, served=False),
        ),
        config=(ConfigFiles(path=config.CONFIG_PATH, files=config.files(settings, placement.namespaces, loki)),),
        scratch=(Scratch(name="state", path=config.STATE_PATH, size=settings.state),),
        resources=resources,
        probes=Probes(
            startup=Probe(port="health", path="/", period=1, failures=60),
            readiness=Probe(port="health", path="/", period=5),
            liveness=Probe(port="health", path="/", period=10, timeout=5, failures=6),
        ),
        drain=Drain(pause=0, longest_request=15),
        accepts=(
            Accepts(source=Workloads(stack="app"), ports=("otlp-grpc", "otlp-http")),
            Accepts(source=Workloads(name="prometheus", stack="monitoring"), ports=("metrics",)),
        ),
        calls=tuple(_calls(settings, loki)),
        api_token=True,
        host=HostAccess(
            reason=REASON,
            paths=(HostPath(name="pod-logs", host=settings.pod_logs, path=settings.pod_logs, kind="Directory"),),
            user=0,
        ),
    )


def _calls(settings: CollectorSettings, loki: str | None) -> Iterator[Calls]:
    yield Calls(target=ApiServer())
    if loki:
        yield Calls(target=Workloads(name="loki", stack="monitoring"), ports=(LOKI_PORT,))
    if settings.traces_to:
        yield Calls(target=Outside(excluding=()), ports=(_port(settings.traces_to),))


def _port(url: str) -> int:
    address = urlsplit(url)
    return address.port or {"https": 443}.get(address.scheme, 80)
