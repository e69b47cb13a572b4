"""The collector: ships the logs of every pod to Loki, and takes in logs and traces as OTLP."""

from __future__ import annotations

import pulumi

from components.collector import config
from components.collector.settings import CollectorSettings
from components.collector.workload import NAME, workload
from components.environment import Environment
from components.loki.component import Loki
from components.monitoring.access import reading_pods
from components.monitoring.server import Server


class Collector(Server):
    """`url` takes OTLP over HTTP, `grpc` OTLP over gRPC."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: CollectorSettings,
        *,
        loki: Loki | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Collector", name, opts)
        placement = environment.place("agents", NAME)
        rights = reading_pods(NAME, placement, environment.namespaces.of_workloads)
        spec = workload(settings, placement, environment.image(NAME), loki.url if loki else None)
        self.run(environment, spec, "agents", rights)

    @property
    def url(self) -> str:
        return self.workload.address("otlp-http").url

    @property
    def grpc(self) -> str:
        """`host:port`, without TLS."""
        return f"{self.service.host}:{config.OTLP_GRPC_PORT}"
