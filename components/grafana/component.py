"""Grafana: dashboards over the environment's metrics and logs."""

from __future__ import annotations

import pulumi

from components.environment import Environment
from components.grafana.settings import GrafanaSettings
from components.grafana.workload import NAME, Shown, workload
from components.monitoring.server import Server


class Grafana(Server):
    """Its image comes from a public registry only: where none can be reached, the program leaves it out."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: GrafanaSettings,
        *,
        shown: Shown,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Grafana", name, opts)
        self.run(environment, workload(settings, environment.image(NAME), shown), "monitoring")
