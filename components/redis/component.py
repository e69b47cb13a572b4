"""Redis: one server that writes an append-only file to a volume, its password in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi

from components.backing import Backing
from components.environment import Environment
from components.redis.settings import RedisSettings
from components.secret import Secret
from components.store import Store
from components.workload import (
    Accepts,
    ConfigFiles,
    Drain,
    Port,
    Probe,
    Probes,
    SecretFiles,
    Storage,
    Workloads,
    WorkloadSpec,
)
from components.workload.component import Address

NAME: Final = "redis"
PORT: Final = 6379
PASSWORD_FILE: Final = "password"
_USER: Final = 999
_CONFIG_PATH: Final = "/etc/redis"
_SECRETS_PATH: Final = "/etc/secrets/redis"
_MEMORY_SHARE: Final = 0.6
"""Of the memory limit: a rewrite of the append-only file needs the rest."""


class Redis(Store):
    """The app's queue and cache. `callers`: the workloads that may connect."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: RedisSettings,
        *,
        callers: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        described = spec(settings, environment.image(NAME), callers)
        super().__init__("turnout:app:Redis", name, environment, described, opts)


def spec(settings: RedisSettings, image: str, callers: Sequence[str]) -> WorkloadSpec:
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="stateful",
        args=("redis-server", f"{_CONFIG_PATH}/redis.conf"),
        ports=(Port(name="redis", number=PORT),),
        config=(ConfigFiles(path=_CONFIG_PATH, files={"redis.conf": config(settings)}),),
        secrets=(SecretFiles(path=_SECRETS_PATH, files={"auth.conf": _required(settings.password)}),),
        storage=(Storage(name="data", path="/data", size=settings.storage, storage_class=settings.storage_class),),
        resources=settings.resources.resources(),
        probes=Probes(
            startup=Probe(port="redis", period=1, failures=120),
            readiness=Probe(port="redis"),
            liveness=Probe(port="redis", period=10, failures=6),
        ),
        drain=Drain(pause=0, longest_request=30),
        user=_USER,
        accepts=tuple(Accepts(source=Workloads(name=caller)) for caller in callers),
    )


def config(settings: RedisSettings) -> str:
    limit = settings.resources.memory_limit or settings.resources.memory
    lines = (
        "bind 0.0.0.0",
        f"port {PORT}",
        "dir /data",
        "appendonly yes",
        'save ""',
        f"maxmemory {int(limit * _MEMORY_SHARE)}mb",
        "maxmemory-policy noeviction",
        f"include {_SECRETS_PATH}/auth.conf",
    )
    return "\n".join(lines) + "\n"


def backing(settings: RedisSettings, address: Address) -> Backing:
    """What a caller needs."""
    password = SecretFiles(name="redis-secret", path=_SECRETS_PATH, files={PASSWORD_FILE: settings.password})
    env = {
        "REDIS_ADDR": f"{address.host}:{address.port}",
        "REDIS_PASSWORD_FILE": f"{_SECRETS_PATH}/{PASSWORD_FILE}",
    }
    return Backing(target=Workloads(name=NAME), port=PORT, env=env, secrets=(password,))


def _required(value: Secret) -> Secret:
    escaped = value.reveal().replace("\\", "\\\\").replace('"', '\\"')
    return Secret(f'requirepass "{escaped}"\n')
