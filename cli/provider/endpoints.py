"""What serves behind Services: listed once a moment for all that wait in a namespace, not once for each."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import Context

from cli.kube.aio import AsyncKube
from cli.kube.errors import KubeError
from cli.kube.requests import Object

FRESH = 0.5
"""Seconds that a listing is shared, and kept."""
SERVICE = "kubernetes.io/service-name"


class Endpoints:
    """The EndpointSlices of each Service."""

    def __init__(self, kube: AsyncKube) -> None:
        self._kube = kube
        self._asked: dict[str, asyncio.Task[Mapping[str, Sequence[Object]]]] = {}

    async def of(self, service: Object) -> Sequence[Object]:
        """Those of one Service, at most `FRESH` seconds old; none where they may not be read."""
        metadata = service["metadata"]
        namespace = str(metadata.get("namespace"))
        if namespace not in self._asked:
            self._asked[namespace] = asyncio.create_task(self._list(namespace), context=Context())
            self._asked[namespace].add_done_callback(lambda _: self._forget_soon(namespace))
        found = await asyncio.shield(self._asked[namespace])
        return found.get(metadata["name"], ())

    async def _list(self, namespace: str) -> Mapping[str, Sequence[Object]]:
        found: dict[str, list[Object]] = defaultdict(list)
        try:
            listed = await self._kube.run(self._kube.server.list("discovery.k8s.io/v1", "EndpointSlice", namespace))
        except KubeError:
            return found
        for slice_ in listed["items"]:
            found[(slice_["metadata"].get("labels") or {}).get(SERVICE, "")].append(slice_)
        return dict(found)

    def _forget_soon(self, namespace: str) -> None:
        asyncio.get_running_loop().call_later(FRESH, self._asked.pop, namespace, None)
