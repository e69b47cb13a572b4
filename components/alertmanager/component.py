"""Alertmanager: groups alerts and tells people."""

from __future__ import annotations

import pulumi

from components.alertmanager.settings import AlertmanagerSettings
from components.alertmanager.workload import NAME, peers, workload
from components.environment import Environment
from components.monitoring.server import Server


class Alertmanager(Server):
    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: AlertmanagerSettings,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Alertmanager", name, opts)
        placement = environment.place("monitoring", NAME)
        spec = workload(settings, placement, environment.image(NAME))
        self.run(environment, spec, "monitoring", peers(settings, placement))
