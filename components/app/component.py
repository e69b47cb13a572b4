"""The app: its services, workers and jobs, with the databases that they call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from components.app import parts
from components.app.parts import Surroundings
from components.app.settings import AppSettings
from components.backing import Backing
from components.environment import Environment
from components.names import APP
from components.postgres import component as postgres
from components.postgres.settings import PostgresSettings
from components.redis import component as redis
from components.redis.settings import RedisSettings
from components.tracks import Known, Tracks, to_output
from components.workload import Spread, Workloads, WorkloadSpec
from components.workload.component import Address, Held, Workload
from components.workload.scaling import least_copies


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
        tracks: Mapping[str, Tracks] | None = None,
        known: Known | None = None,
        counted: Mapping[str, int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`telemetry`: where traces are sent by OTLP over HTTP. `known`: what the last update declared.

        `counted`: copies of services with two tracks as they were last seen to; None: whoever runs this sees to them.
        """
        super().__init__("turnout:app:App", name, None, opts)
        self._environment, self._tracks, self._known = environment, tracks or {}, known or {}
        self._counted = counted
        self._databases = self._declare_databases(settings, databases)
        around = self._surroundings(image, databases, telemetry)
        self.workloads = self._declare_parts(parts.specs(settings, around))
        self._gone = self._hold_gone()
        self.services = {
            item.spec.name: item.address() for item in self.workloads if item.spec.name in settings.services
        }
        self.register_outputs({})

    @property
    def unfinished(self) -> bool:
        """Whether a rollout is under way: then what serves is not yet what the settings say, and no release."""
        return any(tracks.held or tracks.trying for tracks in self._tracks.values())

    @property
    def tracks(self) -> dict[str, Any]:
        """The stack's output of that name: for each part where its tracks stand, and its objects by name."""
        found = {item.spec.name: self._told(item) for item in self.workloads}
        return found | {name: to_output(self._tracks[name], self._known[name]) for name in self._gone}

    @property
    def uncounted(self) -> dict[str, tuple[int, int]]:
        """Services whose number of copies nobody sees to now: what it is, and what the settings say."""
        if self.unfinished:
            return {}
        found = {item.spec.name: (self._copies(item), least_copies(item.spec)) for item in self.workloads}
        return {name: pair for name, pair in found.items() if pair[0] != pair[1]}

    def _told(self, workload: Workload) -> dict[str, Any]:
        if not workload.spec.tracked:
            return to_output(None, workload.declared)
        place = self._tracks.get(workload.spec.name, Tracks())
        return {"copies": self._copies(workload), **to_output(place, workload.declared)}

    def _copies(self, workload: Workload) -> int:
        """With two tracks, a number that the settings changed is not applied by the program itself."""
        name, wanted = workload.spec.name, least_copies(workload.spec)
        two = self._tracks.get(name, Tracks()).two
        return self._counted.get(name, wanted) if two and self._counted is not None else wanted

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
        """Jobs of the release wait for the databases; everything else waits for those jobs too; the last for it all."""
        ready: list[pulumi.Resource] = [one for item in self._databases.values() for one in item.controllers]
        made: list[Workload] = []
        for spec in described:
            after = [*ready, *(one for item in made for one in item.controllers)] if parts.comes_last(spec) else ready
            made.append(self._declare_part(spec, after))
            if spec.runs == "once":
                ready += made[-1].controllers
        return made

    def _declare_part(self, spec: WorkloadSpec, after: Sequence[pulumi.Resource]) -> Workload:
        tracks = self._tracks.get(spec.name, Tracks())
        return Workload(
            spec.name,
            self._environment,
            spec,
            stack="app",
            component=APP,
            after=tuple(after),
            tracks=replace(tracks, held=True) if self.unfinished and parts.comes_last(spec) else tracks,
            before=self._known.get(spec.name),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _hold_gone(self) -> list[str]:
        """Parts that the settings name no more, and that may not change yet."""
        named = {item.spec.name for item in self.workloads}
        held = [name for name, tracks in self._tracks.items() if tracks.held and name not in named]
        gone = [name for name in held if name in self._known]
        for name in gone:
            Held(name, self._environment, self._known[name], opts=pulumi.ResourceOptions(parent=self))
        return gone


def _telemetry(address: Address) -> Backing:
    return Backing(
        target=Workloads(name=address.name, stack="agents"),
        port=address.port,
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": address.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
    )
