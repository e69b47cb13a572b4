"""Loki: keeps the logs of every pod of the environment."""

from __future__ import annotations

import pulumi

from components.environment import Environment
from components.loki.settings import LokiSettings
from components.loki.workload import NAME, workload
from components.monitoring.server import Server


class Loki(Server):
    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: LokiSettings,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Loki", name, opts)
        self.run(environment, workload(settings, environment.image(NAME)), "monitoring")
