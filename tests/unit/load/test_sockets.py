"""WebSocket connections against a small server that behaves, and against ones that do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, RejectConnection, Request, TextMessage

from cli.load import generator, sockets
from cli.load.generator import Generator, Plan
from cli.load.target import Target


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._events: list[Event] = []

    async def next(self) -> Event:
        while not self._events:
            self._protocol.receive_data(await self._reader.read(4096) or None)
            self._events += list(self._protocol.events())
        return self._events.pop(0)

    def send(self, event: Event) -> None:
        self._writer.write(self._protocol.send(event))

    def echo(self, event: TextMessage) -> None:
        self.send(TextMessage(json.dumps({"version": "1.0.0", "pod": "api-1", "said": event.data})))

    def cut(self) -> None:
        self._writer.transport.abort()


Script = Callable[[Peer, int], Awaitable[None]]


async def echoing(peer: Peer, number: int) -> None:  # noqa: ARG001
    while isinstance(event := await peer.next(), TextMessage):
        peer.echo(event)


def run(script: Script, *, seconds: float = 0.475, count: int = 1) -> tuple[dict[str, Any], int]:
    """What the generator counted, and how many connections it opened."""
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        peer = Peer(reader, writer)
        try:
            assert isinstance(await peer.next(), Request)
            if script is not rejecting:
                peer.send(AcceptConnection())
            await script(peer, opened)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def everything() -> dict[str, Any]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        target = Target("127.0.0.1", server.sockets[0].getsockname()[1], "/")
        try:
            return await Generator(Plan(target, 0, seconds, socket_path="/v1/echo", sockets=count)).run()
        finally:
            server.close()

    result = asyncio.run(everything())
    return result, opened


async def rejecting(peer: Peer, number: int) -> None:  # noqa: ARG001
    peer.send(RejectConnection(status_code=503))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (generator, sockets):
        monkeypatch.setattr(module, "EVERY", 0.05)


def counted(result: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = result["kinds"]["socket"]
    return found


def test_one_connection_carries_all_messages() -> None:
    result, opened = run(echoing)
    assert counted(result) == {"sent": 10, "ok": 10}
    assert opened == 1
    assert result["pods"] == {"api-1": 10}


def test_several_connections_stay_open_side_by_side() -> None:
    result, opened = run(echoing, count=4)
    assert counted(result) == {"sent": 40, "ok": 40} and opened == 4


def test_a_goodbye_is_answered_by_another_connection() -> None:
    async def leaving(peer: Peer, number: int) -> None:  # noqa: ARG001
        for _ in range(2):
            event = await peer.next()
            assert isinstance(event, TextMessage)
            peer.echo(event)
        peer.send(CloseConnection(1001, "draining"))
        assert isinstance(await peer.next(), CloseConnection), "the client says goodbye too"

    result, opened = run(leaving)
    assert counted(result) == {"sent": 10, "ok": 10}
    assert opened >= 5


def test_what_crosses_the_goodbye_is_said_again_to_the_next_one() -> None:
    async def leaving(peer: Peer, number: int) -> None:
        event = await peer.next()
        if number < 4:
            peer.send(CloseConnection(1001))
            await peer.next()
            return
        peer.echo(event)  # type: ignore[arg-type]
        await echoing(peer, number)

    result, _ = run(leaving)
    assert counted(result) == {"sent": 10, "ok": 10}


def test_a_connection_that_is_cut_is_a_failure() -> None:
    async def cutting(peer: Peer, number: int) -> None:
        if number < 4:
            event = await peer.next()
            peer.echo(event)  # type: ignore[arg-type]
            await asyncio.sleep(0.02)
            peer.cut()
        else:
            await echoing(peer, number)

    result, _ = run(cutting)
    assert counted(result)["failed"] == len([one for one in result["failures"] if one["outcome"] == "cut"]) >= 1


def test_a_connection_that_is_closed_for_a_fault_is_a_failure() -> None:
    async def failing(peer: Peer, number: int) -> None:  # noqa: ARG001
        await peer.next()
        peer.send(CloseConnection(1011))
        await peer.next()

    result, _ = run(failing)
    assert result["failures"][-1]["outcome"] == "closed with 1011"


def test_a_connection_that_is_refused_is_a_failure() -> None:
    result, _ = run(rejecting, seconds=0.1)
    assert {one["outcome"] for one in result["failures"] if one["kind"] == "socket"} == {"status 503"}


def test_an_answer_that_does_not_come_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "ANSWER", 0.1)

    async def silent(peer: Peer, number: int) -> None:  # noqa: ARG001
        while not isinstance(await peer.next(), CloseConnection):
            pass

    result, _ = run(silent, seconds=0.1)
    assert {one["outcome"] for one in result["failures"] if one["kind"] == "socket"} == {"timeout"}
