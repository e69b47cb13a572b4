"""The app: its services, workers and jobs, with the databases that they call."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.app import parts
from components.app.parts import Surroundings
from components.app.settings import AppSettings
from components.backing import Backing
from components.environment import Environment
from components.manifest import Manifest
from components.postgres import component as postgres
from components.postgres.settings import PostgresSettings
from components.redis import component as redis
from components.redis.settings import RedisSettings
from components.workload import Spread, Workloads, WorkloadSpec
from components.workload.component import Address, Workload


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Settings of the databases that the app brings with it; None: it has none."""

    postgres: PostgresSettings | None = None
    redis: RedisSettings | None = None


class App(pulumi.ComponentResource):
    """Any number of services, workers and jobs from one image."""

    workloads: list[Workload]
    services: dict[str, Address]

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: AppSettings,
        *,
        image: str,
        databases: Databases,
        telemetry: Address | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`telemetry`: where traces are sent by OTLP over HTTP."""
        super().__init__("turnout:app:App", name, None, opts)
        self._environment = environment
        self._databases = self._declare_databases(settings, databases)
        around = self._surroundings(image, databases, telemetry)
        self.workloads = self._declare_parts(parts.specs(settings, around))
        self.services = {
            item.spec.name: item.address() for item in self.workloads if item.spec.name in settings.services
        }
        self.register_outputs({})

    @property
    def manifests(self) -> list[Manifest]:
        """Every object of the app's own parts, without its databases."""
        return [manifest for workload in self.workloads for manifest in workload.manifests]

    def _declare_databases(self, settings: AppSettings, wanted: Databases) -> dict[str, Workload]:
        own = pulumi.ResourceOptions(parent=self)
        made: dict[str, Workload] = {}
        if wanted.postgres:
            callers = parts.callers(settings, postgres.NAME)
            made[postgres.NAME] = postgres.Postgres(
                postgres.NAME, self._environment, wanted.postgres, callers=callers, opts=own
            ).workload
        if wanted.redis:
            callers = parts.callers(settings, redis.NAME)
            made[redis.NAME] = redis.Redis(
                redis.NAME, self._environment, wanted.redis, callers=callers, opts=own
            ).workload
        return made

    def _surroundings(self, image: str, databases: Databases, telemetry: Address | None) -> Surroundings:
        backings: dict[str, Backing] = {}
        if databases.postgres:
            address = self._databases[postgres.NAME].address()
            backings[postgres.NAME] = postgres.backing(databases.postgres, address)
        if databases.redis:
            backings[redis.NAME] = redis.backing(databases.redis, self._databases[redis.NAME].address())
        return Surroundings(
            image=image,
            namespace=self._environment.namespaces.app,
            backings=backings,
            telemetry=_telemetry(telemetry) if telemetry else None,
            spread=Spread(required=self._environment.tier == "prod"),
        )

    def _declare_parts(self, described: list[WorkloadSpec]) -> list[Workload]:
        """Jobs of the release wait for the databases; everything else waits for those jobs too."""
        ready: list[pulumi.Resource] = [item.controller for item in self._databases.values()]
        made: list[Workload] = []
        for spec in described:
            own = pulumi.ResourceOptions(parent=self)
            workload = Workload(
                spec.name, self._environment, spec, stack="app", component="app", after=tuple(ready), opts=own
            )
            made.append(workload)
            if spec.runs == "once":
                ready.append(workload.controller)
        return made


def _telemetry(address: Address) -> Backing:
    return Backing(
        target=Workloads(name=address.name, stack="agents"),
        port=address.port,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": address.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
    )
