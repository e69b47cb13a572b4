"""PostgreSQL: one server with a volume, its password in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi

from components.backing import Backing
from components.environment import Environment
from components.postgres.settings import PostgresSettings
from components.store import Store
from components.workload import (
    Accepts,
    Drain,
    Port,
    Probe,
    Probes,
    Scratch,
    SecretFiles,
    Storage,
    Workloads,
    WorkloadSpec,
)
from components.workload.component import Address

NAME: Final = "postgres"
PORT: Final = 5432
PASSWORD_FILE: Final = "password"
SECRETS_PATH: Final = "/etc/secrets/postgres"
_USER: Final = 999
_DATA: Final = "/var/lib/postgresql/data"


class Postgres(Store):
    """The app's database. `callers`: the workloads that may connect."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: PostgresSettings,
        *,
        callers: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        described = spec(settings, environment.image(NAME), callers)
        super().__init__("turnout:app:Postgres", name, environment, described, opts)


def spec(settings: PostgresSettings, image: str, callers: Sequence[str]) -> WorkloadSpec:
    alive = Probe(command=("pg_isready", "--host=127.0.0.1", f"--username={settings.role}"), timeout=5)
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="stateful",
        args=("postgres", "-c", f"max_connections={settings.connections}"),
        env={
            "PGDATA": f"{_DATA}/pgdata",
            "POSTGRES_USER": settings.role,
            "POSTGRES_DB": settings.database,
            "POSTGRES_PASSWORD_FILE": f"{SECRETS_PATH}/{PASSWORD_FILE}",
        },
        ports=(Port(name="postgres", number=PORT),),
        secrets=(_password(settings),),
        scratch=(Scratch(name="run", path="/run/postgresql"), Scratch(name="tmp", path="/tmp")),
        storage=(Storage(name="data", path=_DATA, size=settings.storage, storage_class=settings.storage_class),),
        resources=settings.resources.resources(),
        probes=Probes(
            startup=Probe(command=alive.command, timeout=5, period=2, failures=150),
            readiness=Probe(command=alive.command, timeout=5, period=5),
            liveness=Probe(command=alive.command, timeout=5, period=10, failures=6),
        ),
        drain=Drain(pause=0, longest_request=60),
        user=_USER,
        accepts=tuple(Accepts(source=Workloads(name=caller)) for caller in callers),
    )


def backing(settings: PostgresSettings, address: Address) -> Backing:
    """What a caller needs, in the variables of libpq."""
    env = {
        "PGHOST": address.host,
        "PGPORT": str(address.port),
        "PGUSER": settings.role,
        "PGDATABASE": settings.database,
        "PGPASSWORD_FILE": f"{SECRETS_PATH}/{PASSWORD_FILE}",
        "PGSSLMODE": "disable",
    }
    return Backing(target=Workloads(name=NAME), port=PORT, env=env, secrets=(_password(settings),))


def _password(settings: PostgresSettings) -> SecretFiles:
    return SecretFiles(name="postgres-secret", path=SECRETS_PATH, files={PASSWORD_FILE: settings.password})
