"""Many Services wait on one listing."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from cli.kube.aio import AsyncKube
from cli.kube.config import Endpoint
from cli.kube.operations import Server
from cli.kube.retry import Policy
from cli.provider import endpoints
from cli.provider.endpoints import SERVICE, Endpoints

WHERE = Endpoint("http://cluster", "default", "c", None, None)


def service(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "dev"}}


def slice_(of: str) -> dict[str, Any]:
    return {"metadata": {"name": f"{of}-x", "labels": {SERVICE: of}}, "endpoints": []}


def asked(status: int, rounds: int) -> tuple[list[str], list[list[str]]]:
    """(the requests, the names found for Services a, b and c in the last round)."""
    paths: list[str] = []

    async def handler(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        return httpx2.Response(status, json={"items": [slice_("a"), slice_("b")], "metadata": {}})

    async def scene() -> list[list[str]]:
        kube = AsyncKube(WHERE, server=Server(Policy(attempts=1)), transport=httpx2.MockTransport(handler))
        shared, found = Endpoints(kube), []
        for _ in range(rounds):
            found = await asyncio.gather(*(shared.of(service(name)) for name in "abc"))
            await asyncio.sleep(0.05)
        await kube.close()
        return [[row["metadata"]["name"] for row in rows] for rows in found]

    found = asyncio.run(scene())
    return paths, found


def test_one_listing_answers_all_that_wait_in_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/apis/discovery.k8s.io/v1/namespaces/dev/endpointslices"
    monkeypatch.setattr(endpoints, "FRESH", 60)
    assert asked(200, rounds=2) == ([path], [["a-x"], ["b-x"], []])
    monkeypatch.setattr(endpoints, "FRESH", 0)
    assert asked(200, rounds=2)[0] == [path, path], "and is not kept"


def test_what_may_not_be_read_counts_as_none() -> None:
    assert asked(403, rounds=1)[1] == [[], [], []]
