"""What a resource sees of its object: never something older than it has seen already."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from cli.kube.aio import AsyncKube
from cli.kube.config import Endpoint
from cli.kube.operations import Server
from cli.kube.retry import Policy
from cli.provider.host import Host
from cli.provider.waiting import Waiting
from cli.provider.watches import Sight, Watches

WHERE = Endpoint("http://cluster", "default", "c", None, None)


def deployment(version: int, available: int = 0) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "dev", "uid": "u", "resourceVersion": str(version), "generation": 1},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, "updatedReplicas": 1, "replicas": 1, "availableReplicas": available},
    }


@asynccontextmanager
async def watches(handler: Callable[[httpx2.Request], Any]) -> AsyncIterator[tuple[AsyncKube, Watches]]:
    kube = AsyncKube(WHERE, server=Server(Policy(attempts=1)), transport=httpx2.MockTransport(handler))
    shared = Watches(kube)
    try:
        yield kube, shared
    finally:
        shared.close()
        await kube.close()


def test_a_read_that_began_before_an_event_does_not_hide_it() -> None:
    async def scene() -> Sight:
        asked, answer = asyncio.Event(), asyncio.Event()

        async def read() -> dict[str, Any]:
            asked.set()
            await answer.wait()
            return deployment(1)

        sight = Sight(deployment(1), read)
        reading = asyncio.create_task(sight.read())
        await asked.wait()
        sight.see(deployment(2, available=1))
        answer.set()
        await reading
        return sight

    sight = asyncio.run(scene())
    assert sight.current is not None and sight.current["metadata"]["resourceVersion"] == "2"


def test_one_watch_serves_all_and_is_closed_when_nobody_looks(monkeypatch: Any) -> None:
    monkeypatch.setattr("cli.provider.watches.LINGER", 0.01)
    opened: list[str] = []

    async def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.params.get("watch"):
            opened.append(str(request.url))
            await asyncio.sleep(30)
        if request.url.path.endswith("/deployments"):
            return httpx2.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": [deployment(1)]})
        return httpx2.Response(200, json=deployment(1))

    async def scene() -> int:
        async with watches(handler) as (_, shared):
            async with shared.sight(deployment(1)), shared.sight(deployment(1)):
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)
            return len(shared._feeds)

    assert asyncio.run(scene()) == 0
    assert len(opened) == 1


def test_waiting_ends_with_the_event_that_makes_it_ready() -> None:
    event = json.dumps({"type": "MODIFIED", "object": deployment(2, available=1)})

    async def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.params.get("watch"):
            return httpx2.Response(200, content=event)
        if request.url.path.endswith("/deployments"):
            return httpx2.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": [deployment(1)]})
        return httpx2.Response(200, json=deployment(1))

    async def scene() -> Any:
        async with watches(handler) as (kube, shared):
            waiting = Waiting(kube, shared, Host(), asyncio.Event())
            return await asyncio.wait_for(waiting.until_ready(deployment(1), {}, 20), 10)

    outcome = asyncio.run(scene())
    assert outcome.reasons == () and outcome.live["status"]["availableReplicas"] == 1


def test_an_object_that_vanishes_while_it_is_waited_for_is_a_failure() -> None:
    async def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/deployments"):
            return httpx2.Response(200, json={"metadata": {"resourceVersion": "1"}, "items": []})
        return httpx2.Response(404, json={"reason": "NotFound"})

    async def scene() -> Any:
        async with watches(handler) as (kube, shared):
            waiting = Waiting(kube, shared, Host(), asyncio.Event())
            return await asyncio.wait_for(waiting.until_ready(deployment(1), {}, 20), 10)

    assert asyncio.run(scene()).reasons == ["Deployment d was deleted by somebody else meanwhile"]
