"""The node exporter: the nodes' own figures."""

from __future__ import annotations

import pulumi

from components.environment import Environment
from components.monitoring.server import Server
from components.node_exporter.settings import NodeExporterSettings
from components.node_exporter.workload import NAME, workload


class NodeExporter(Server):
    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: NodeExporterSettings,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("NodeExporter", name, opts)
        self.run(environment, workload(settings, environment.image(NAME)), "agents")
