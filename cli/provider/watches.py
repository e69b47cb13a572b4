"""One watch for each (kind, namespace), shared by all resources that wait for an object there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from cli.kube import requests
from cli.kube.aio import AsyncKube
from cli.kube.errors import KubeError
from cli.kube.requests import Object

SECONDS = 290
LINGER = 2.0
Key = tuple[str, str, str | None]


class Sight:
    """One waiting resource's view of one object. `current` is None once the object is gone."""

    def __init__(self, name: str, current: Object | None) -> None:
        self.name = name
        self.current = current
        self._changed = asyncio.Event()

    def see(self, obj: Object | None) -> None:
        self.current = obj
        self._changed.set()

    async def change(self, seconds: float) -> None:
        """Return at the next change, or after so many seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), max(seconds, 0))
        except TimeoutError:
            return
        self._changed.clear()


class _Feed:
    def __init__(self, kube: AsyncKube, key: Key) -> None:
        self.kube, self.key = kube, key
        self.sights: set[Sight] = set()
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        while True:
            try:
                await self._follow(await self._list())
            except (KubeError, httpx2.TransportError, ValueError):
                await asyncio.sleep(0.5)

    async def _list(self) -> str:
        api_version, kind, namespace = self.key
        found = await self.kube.run(self.kube.server.list(api_version, kind, namespace))
        there = {item["metadata"]["name"]: item for item in found["items"]}
        for sight in self.sights:
            sight.see(there.get(sight.name))
        return str(found["metadata"]["resourceVersion"])

    async def _follow(self, version: str) -> None:
        api_version, kind, namespace = self.key
        row = await self.kube.run(self.kube.server.kind(api_version, kind))
        while True:
            request = requests.watch(row, namespace, resource_version=version, seconds=SECONDS)
            async for what, item in self.kube.events(request, SECONDS):
                version = item["metadata"]["resourceVersion"]
                if what != "BOOKMARK":
                    self._tell(item["metadata"]["name"], None if what == "DELETED" else item)

    def _tell(self, name: str, obj: Object | None) -> None:
        for sight in self.sights:
            if sight.name == name:
                sight.see(obj)


class Watches:
    """Keeps a watch open as long as somebody looks through it, and a little longer."""

    def __init__(self, kube: AsyncKube) -> None:
        self._kube = kube
        self._feeds: dict[Key, _Feed] = {}

    @asynccontextmanager
    async def sight(self, obj: Object) -> AsyncIterator[Sight]:
        """Look at one object until the context ends. It starts with a fresh read, so that no change is missed."""
        metadata = obj["metadata"]
        feed = self._feed((obj["apiVersion"], obj["kind"], metadata.get("namespace")))
        sight = Sight(metadata["name"], obj)
        feed.sights.add(sight)
        try:
            name, namespace = metadata["name"], metadata.get("namespace")
            sight.see(await self._kube.run(self._kube.server.find(obj["apiVersion"], obj["kind"], name, namespace)))
            yield sight
        finally:
            feed.sights.discard(sight)
            asyncio.get_running_loop().call_later(LINGER, self._close_unused, feed)

    def close(self) -> None:
        for feed in self._feeds.values():
            if feed.task:
                feed.task.cancel()
        self._feeds.clear()

    def _feed(self, key: Key) -> _Feed:
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed(self._kube, key)
            feed.task = asyncio.create_task(feed.run())
        return feed

    def _close_unused(self, feed: _Feed) -> None:
        if not feed.sights and self._feeds.get(feed.key) is feed:
            del self._feeds[feed.key]
            if feed.task:
                feed.task.cancel()
