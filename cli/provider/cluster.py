"""The cluster that a provider instance is configured for, connected to when it is first needed."""

from __future__ import annotations

import asyncio
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from google.protobuf.struct_pb2 import Struct

from cli.errors import TurnoutError, UsageError
from cli.kube.kinds import BUILT_IN
from cli.provider import kinds
from cli.provider.host import Host, heard
from cli.provider.kinds import Type
from cli.provider.settings import Settings
from cli.provider.values import Properties, encode

if TYPE_CHECKING:
    from cli.kube.aio import AsyncKube
    from cli.kube.config import Endpoint
    from cli.provider.resources import Resources
    from cli.provider.watches import Watches


class Cluster:
    """One API server: its connections and watches, shared by every provider instance that is configured for it."""

    def __init__(self, kubeconfig: str, context: str, cluster: str, timeout: float) -> None:
        self._kubeconfig, self._context, self._cluster, self._timeout = kubeconfig, context, cluster, timeout

    @cached_property
    def endpoint(self) -> Endpoint:
        from cli.kube.config import endpoint

        return endpoint(self._kubeconfig or None, self._context or None, self._cluster or None)

    @cached_property
    def kube(self) -> AsyncKube:
        from cli.kube.aio import AsyncKube
        from cli.kube.client import WHOLE

        return AsyncKube(self.endpoint, heard=heard, whole=self._timeout or WHOLE)

    @cached_property
    def watches(self) -> Watches:
        from cli.provider.watches import Watches

        return Watches(self.kube)

    @property
    def namespace(self) -> str:
        """The kubeconfig's own default namespace."""
        try:
            return self.endpoint.namespace
        except UsageError:
            return "default"

    def is_namespaced(self, type_: Type) -> bool:
        """As far as is known so far: an unknown kind counts as namespaced."""
        if "kube" in self.__dict__ and (row := self.kube.server.known.get((type_.api_version, type_.kind))):
            return row.namespaced
        return kinds.is_namespaced(type_.api_version, type_.kind)

    async def ask_is_namespaced(self, type_: Type) -> bool:
        """Asks the server about kinds that are not Kubernetes' own."""
        if (type_.api_version, type_.kind) in BUILT_IN:
            return kinds.is_namespaced(type_.api_version, type_.kind)
        from cli.kube.errors import KubeError

        try:
            return (await self.kube.run(self.kube.server.kind(type_.api_version, type_.kind))).namespaced
        except (KubeError, UsageError):
            return True

    async def close(self) -> None:
        if "watches" in self.__dict__:
            self.watches.close()
        if "kube" in self.__dict__:
            await self.kube.close()


class Clusters:
    """Every cluster in use, once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, str, float], Cluster] = {}

    def of(self, settings: Settings) -> Cluster:
        place = (settings.kubeconfig, settings.context, settings.cluster, settings.timeout)
        if place not in self._open:
            self._open[place] = Cluster(*place)
        return self._open[place]

    async def close(self) -> None:
        for cluster in self._open.values():
            await cluster.close()
        self._open.clear()


class Session:
    """One provider instance of one engine: its settings, and what it works with."""

    def __init__(self, clusters: Clusters) -> None:
        self.host = Host()
        self.cancelled = asyncio.Event()
        self._settings: Settings | None = None
        self._clusters = clusters

    @property
    def settings(self) -> Settings:
        """Raises TurnoutError before Configure: settings of nobody's would mean whatever cluster is at hand."""
        if self._settings is None:
            raise TurnoutError(
                "this provider instance was never configured",
                why="the engine's connection to it was lost and opened anew",
                next="run the same command again",
            )
        return self._settings

    @cached_property
    def cluster(self) -> Cluster:
        return self._clusters.of(self.settings)

    @cached_property
    def resources(self) -> Resources:
        from cli.provider.resources import Resources
        from cli.provider.waiting import Waiting

        waiting = Waiting(self.cluster.kube, self.cluster.watches, self.host, self.cancelled)
        return Resources(self.cluster.kube, self.settings, waiting)

    def configure(self, settings: Settings) -> None:
        self._settings = settings
        self.__dict__.pop("cluster", None)
        self.__dict__.pop("resources", None)

    async def namespace_for(self, type_: Type) -> str | None:
        """The namespace of an object that names none; None for a cluster-wide kind."""
        if not await self.cluster.ask_is_namespaced(type_):
            return None
        return self.settings.namespace or self.cluster.namespace

    def encode(self, properties: Properties) -> Struct:
        return encode(properties, keep_secrets=self.settings.accept_secrets)

    def new_manager(self) -> str:
        return f"pulumi-kubernetes-{secrets.token_hex(4)}"
