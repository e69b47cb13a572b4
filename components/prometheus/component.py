"""Prometheus: measures everything in its environment, evaluates the rules, tells Alertmanager."""

from __future__ import annotations

import pulumi

from components.environment import Environment
from components.monitoring.access import reading_pods
from components.monitoring.server import Server
from components.prometheus.ruleset import Sources
from components.prometheus.settings import PrometheusSettings
from components.prometheus.workload import NAME, workload


class Prometheus(Server):
    """It finds its targets by itself; `sources` says which of them the rules may count on."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: PrometheusSettings,
        *,
        sources: Sources,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Prometheus", name, opts)
        placement = environment.place("monitoring", NAME)
        rights = reading_pods(NAME, placement, environment.namespaces.of_workloads)
        self.run(environment, workload(settings, placement, environment.image(NAME), sources), "monitoring", rights)
