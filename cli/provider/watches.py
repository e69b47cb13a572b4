"""One watch for each (kind, namespace), shared by all resources that wait for an object there."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context

from cli.kube import requests
from cli.kube.aio import AsyncKube
from cli.kube.client import BROKEN
from cli.kube.errors import Forbidden, KubeError, Unauthorized
from cli.kube.requests import Object
from cli.provider.endpoints import Endpoints

SECONDS = 290
PAUSES = (0.1, 5.0)
"""Seconds between two watches, growing while they end at once or fail: such a server is not asked in a tight loop."""
REFUSED = (Unauthorized, Forbidden)
"""Errors that asking again does not mend."""
STALE = 15.0
"""Seconds without news after which an object is read again: a watch may have died unnoticed."""
LINGER = 2.0
Key = tuple[str, str, str | None]


class Sight:
    """One waiting resource's view of one object. `current` is None once the object is gone."""

    def __init__(self, first: Object, read: Callable[[], Awaitable[Object | None]]) -> None:
        self.name: str = first["metadata"]["name"]
        self.current: Object | None = first
        self._read = read
        self._changed = asyncio.Event()
        self._failure: KubeError | None = None
        self._news = 0
        self._at = time.monotonic()

    def see(self, obj: Object | None) -> None:
        self.current = obj
        self._news += 1
        self._at = time.monotonic()
        self._changed.set()

    def fail(self, error: KubeError) -> None:
        """Nothing more will be seen: the next `change` raises this."""
        self._failure = error
        self._changed.set()

    async def read(self) -> None:
        """Read the object; what the watch tells meanwhile is newer than what a read that began before it gives."""
        news = self._news
        obj = await self._read()
        if news == self._news:
            self.see(obj)

    async def change(self, seconds: float) -> None:
        """Return at the next change, or after so many seconds. Raises when we may no longer look."""
        if time.monotonic() - self._at > STALE:
            self._at = time.monotonic()
            await self._read_if_possible()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), max(seconds, 0))
            self._changed.clear()
        if self._failure:
            raise self._failure

    async def _read_if_possible(self) -> None:
        try:
            await self.read()
        except REFUSED:
            raise
        except KubeError:
            return


class _Feed:
    def __init__(self, kube: AsyncKube, key: Key) -> None:
        self.kube, self.key = kube, key
        self.sights: dict[str, set[Sight]] = {}
        """By the name of the object that each looks at."""
        self.task: asyncio.Task[None] | None = None
        self._pause = PAUSES[0]

    async def run(self) -> None:
        while True:
            try:
                await self._follow(await self._list())
            except REFUSED as error:
                return self._end(error)
            except (KubeError, *BROKEN):
                await self._rest()

    def add(self, sight: Sight) -> None:
        self.sights.setdefault(sight.name, set()).add(sight)

    def discard(self, sight: Sight) -> None:
        left = self.sights.get(sight.name, set())
        left.discard(sight)
        if not left:
            self.sights.pop(sight.name, None)

    async def _list(self) -> str:
        """What a list lacks is gone only for those who looked before it was asked for."""
        asking = [sight for group in self.sights.values() for sight in group]
        found = await self.kube.run(self.kube.server.list(*self.key))
        there = {item["metadata"]["name"]: item for item in found["items"]}
        for sight in asking:
            sight.see(there.get(sight.name))
        return str(found["metadata"]["resourceVersion"])

    async def _follow(self, version: str) -> None:
        api_version, kind, namespace = self.key
        row = await self.kube.run(self.kube.server.kind(api_version, kind))
        while True:
            request = requests.watch(row, namespace, resource_version=version, seconds=SECONDS)
            async for what, item in self.kube.events(request, SECONDS):
                self._pause = PAUSES[0]
                version = item["metadata"]["resourceVersion"]
                if what != "BOOKMARK":
                    self._tell(item["metadata"]["name"], None if what == "DELETED" else item)
            await self._rest()

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause * (0.5 + random.random() / 2))
        self._pause = min(self._pause * 2, PAUSES[1])

    def _end(self, error: KubeError) -> None:
        for group in self.sights.values():
            for sight in group:
                sight.fail(error)

    def _tell(self, name: str, obj: Object | None) -> None:
        for sight in self.sights.get(name, ()):
            sight.see(obj)


class Watches:
    """Keeps a watch open as long as somebody looks through it, and a little longer."""

    def __init__(self, kube: AsyncKube) -> None:
        self.endpoints = Endpoints(kube)
        self._kube = kube
        self._feeds: dict[Key, _Feed] = {}

    @asynccontextmanager
    async def sight(self, obj: Object) -> AsyncIterator[Sight]:
        """Look at one object until the context ends. It starts with a fresh read, so that no change is missed."""
        metadata = obj["metadata"]
        feed = self._feed((obj["apiVersion"], obj["kind"], metadata.get("namespace")))
        place = (obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace"))
        sight = Sight(obj, lambda: self._kube.run(self._kube.server.find(*place)))
        feed.add(sight)
        try:
            await sight.read()
            yield sight
        finally:
            feed.discard(sight)
            asyncio.get_running_loop().call_later(LINGER, self._close_unused, feed)

    def close(self) -> None:
        for feed in self._feeds.values():
            if feed.task:
                feed.task.cancel()
        self._feeds.clear()

    def _feed(self, key: Key) -> _Feed:
        feed = self._feeds.get(key)
        if feed is None or (feed.task and feed.task.done()):
            feed = self._feeds[key] = _Feed(self._kube, key)
            feed.task = asyncio.create_task(feed.run(), context=Context())
        return feed

    def _close_unused(self, feed: _Feed) -> None:
        if not feed.sights and self._feeds.get(feed.key) is feed:
            del self._feeds[feed.key]
            if feed.task:
                feed.task.cancel()
