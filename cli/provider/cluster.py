"""The cluster that a provider instance is configured for, connected to when it is first needed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct

from cli.errors import TurnoutError, UsageError
from cli.kube.kinds import scope, split
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
    """One API server: its connections and watches, shared by every provider instance that is configured for it.

    `offline`: it is not to be asked anything.
    """

    def __init__(self, kubeconfig: str, context: str, cluster: str, timeout: float, *, offline: bool = False) -> None:
        self.offline = offline
        self._kubeconfig, self._context, self._cluster, self._timeout = kubeconfig, context, cluster, timeout
        self.made: dict[tuple[str, str, str, str | None], str] = {}
        self._probe: asyncio.Task[str] | None = None
        self.defined: dict[tuple[str, str], bool] = {}
        """(group, kind) of each definition that passed by → whether it is namespaced: it may not be served yet."""

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
        return self._known(type_.api_version, type_.kind) is not False

    async def scope(self, api_version: str, kind: str) -> bool | None:
        """Whether a kind is namespaced; the server is asked about those that are not Kubernetes' own."""
        known = self._known(api_version, kind)
        if known is not None or self.offline:
            return known
        from cli.kube.errors import KubeError

        try:
            return (await self.kube.run(self.kube.server.kind(api_version, kind))).namespaced
        except (KubeError, UsageError):
            return None

    async def unreachable(self) -> str:
        """Why the server cannot be reached, or nothing; asked once."""
        if self.offline:
            return ""
        if self._probe is None:
            self._probe = asyncio.create_task(self._ask())
        return await self._probe

    async def _ask(self) -> str:
        from cli.kube.errors import KubeError, Unreachable
        from cli.kube.requests import discover

        try:
            await self.kube.run(self.kube.server.text(discover("/version")))
        except (Unreachable, UsageError) as error:
            return str(error)
        except KubeError:
            return ""
        return ""

    async def scopes(self, objects: Iterable[Any]) -> dict[tuple[str, str], bool | None]:
        """The scope of each kind among these objects."""
        rows = (row for row in objects if isinstance(row, dict))
        found = {(str(row.get("apiVersion")), str(row.get("kind"))) for row in rows}
        return {pair: await self.scope(*pair) for pair in found}

    def _known(self, api_version: str, kind: str) -> bool | None:
        own = scope(api_version, kind)
        if own is not None:
            return own
        if "kube" in self.__dict__ and (row := self.kube.server.known.get((api_version, kind))):
            return row.namespaced
        return self.defined.get((split(api_version)[0], kind))

    async def close(self) -> None:
        if "watches" in self.__dict__:
            self.watches.close()
        if "kube" in self.__dict__:
            await self.kube.close()


class Clusters:
    """Every cluster in use, once."""

    def __init__(self, *, offline: bool = False) -> None:
        self._offline = offline
        self._open: dict[tuple[str, str, str, float], Cluster] = {}

    def of(self, settings: Settings) -> Cluster:
        place = (settings.kubeconfig, settings.context, settings.cluster, settings.timeout)
        if place not in self._open:
            self._open[place] = Cluster(*place, offline=self._offline)
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
        return Resources(self.cluster.kube, self.settings, waiting, self.cluster.made)

    def configure(self, settings: Settings) -> None:
        self._settings = settings
        self.host.no_deprecations = settings.no_deprecations
        self.__dict__.pop("cluster", None)
        self.__dict__.pop("resources", None)

    async def namespace_for(self, type_: Type) -> str | None:
        """The namespace of an object that names none; None for a cluster-wide kind."""
        if await self.cluster.scope(type_.api_version, type_.kind) is False:
            return None
        return self.settings.namespace or self.cluster.namespace

    def encode(self, properties: Properties) -> Struct:
        return encode(properties, keep_secrets=self.settings.accept_secrets)

    def new_manager(self) -> str:
        return f"pulumi-kubernetes-{secrets.token_hex(4)}"
