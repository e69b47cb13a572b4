"""The generator against a tiny server that behaves, and against ones that do not: it must see every failure."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cli.load import generator
from cli.load.generator import Generator, Plan
from cli.load.target import Target

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BODY = json.dumps({"version": "1.0.0", "pod": "api-1"}).encode()


def answer(status: int = 200, *, close: bool = False) -> bytes:
    connection = b"Connection: close\r\n" if close else b""
    return b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s" % (status, connection, len(BODY), BODY)


def replying(reply: Callable[[int], bytes]) -> Handler:
    """A server that answers every request with what `reply` says for its number, and ends where that is empty."""
    numbers = iter(range(1_000_000))

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                said = reply(next(numbers))
                writer.write(said)
                await writer.drain()
                if not said or b"Connection: close" in said or b"Connection: close" in head:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return handle


def load(
    handler: Handler,
    *,
    rate: float = 100,
    seconds: float = 0.4,
    processors: Callable[[], float] = lambda: 0.0,
    **more: Any,
) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await Generator(Plan(Target("127.0.0.1", port, "/"), rate, seconds, **more), processors).run()
        finally:
            server.close()

    return asyncio.run(run())


def test_sends_on_schedule_half_on_new_connections() -> None:
    result = load(replying(lambda _: answer()))
    assert result["outcomes"] == {"ok": 40}
    assert result["kinds"] == {"new": {"sent": 20, "ok": 20}, "kept": {"sent": 20, "ok": 20}}
    assert result["versions"]["1.0.0"]["count"] == 40
    assert result["pods"] == {"api-1": 40}


def test_kept_connections_are_used_again() -> None:
    opened = 0
    reply = replying(lambda _: answer())

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        await reply(reader, writer)

    load(handle, kept=3)
    assert opened <= 20 + 10, "20 new ones, and 3 that are kept, or a few more on a machine that stalls"


def test_sees_errors() -> None:
    result = load(replying(lambda number: answer(500 if number % 4 == 0 else 200)))
    assert result["outcomes"] == {"ok": 30, "status 500": 10}
    assert result["failed"] == 10


def test_sees_a_server_that_ends_without_an_answer() -> None:
    result = load(replying(lambda number: b"" if number == 3 else answer()))
    assert result["outcomes"] == {"ok": 39, "closed": 1}


def test_sees_what_is_not_http() -> None:
    result = load(replying(lambda number: b"hello\r\n\r\n" if number == 3 else answer()))
    assert result["outcomes"] == {"ok": 39, "malformed": 1}


def test_sees_a_refused_connection() -> None:
    async def run() -> dict[str, Any]:
        server = await asyncio.start_server(replying(lambda _: answer()), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await Generator(Plan(Target("127.0.0.1", port, "/"), 100, 0.1)).run()

    assert asyncio.run(run())["outcomes"] == {"refused": 10}


def test_a_connection_that_does_not_come_about_is_told_apart_from_an_answer_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generator, "CONNECT", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        plan = Plan(Target("127.0.0.1", full.getsockname()[1], "/"), 100, 0.1)
        assert asyncio.run(Generator(plan).run())["outcomes"] == {"connect timeout": 10}


def test_does_not_wait_for_answers_and_gives_up_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "ANSWER", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    result = load(silent, seconds=0.3)
    assert result["outcomes"] == {"timeout": 30}
    assert result["seconds"] < 0.6, "an answer that does not come must not slow the schedule down"


def test_a_connection_that_the_server_ends_in_good_order_is_no_failure() -> None:
    assert load(replying(lambda _: answer(close=True)))["outcomes"] == {"ok": 40}


def test_requests_under_way_at_the_end_are_waited_for() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.4)
        writer.write(answer(close=True))
        writer.close()

    result = load(slow, rate=10, seconds=0.1, slow_path="/v1/slow", slow_rate=10)
    assert result["kinds"] == {"new": {"sent": 1, "ok": 1}, "slow": {"sent": 1, "ok": 1}}


def test_a_slow_request_that_is_cut_is_a_failure() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/v1/slow" in head:
            await asyncio.sleep(0.1)
            writer.transport.abort()
        else:
            writer.write(answer(close=True))
            writer.close()

    result = load(cut, rate=10, seconds=0.1, slow_path="/v1/slow", slow_rate=10)
    assert result["kinds"]["slow"] == {"sent": 1, "failed": 1}


def test_its_own_stall_is_not_the_servers_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "ANSWER", 0.2)

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await replying(lambda _: answer())(reader, writer)

    async def run() -> dict[str, Any]:
        server = await asyncio.start_server(stalling, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        asyncio.get_running_loop().call_later(0.15, time.sleep, 0.4)
        try:
            return await Generator(Plan(Target("127.0.0.1", port, "/"), 100, 0.4)).run()
        finally:
            server.close()

    result = asyncio.run(run())
    assert result["outcomes"] == {"ok": 40}
    assert result["late"]["stalled_seconds"] > 0.3 and result["late"]["count"] > 10


def test_an_answer_that_a_stalled_processor_kept_waiting_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "ANSWER", 0.2)
    began = 0.0

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(max(0.0, began + 0.6 - time.monotonic()))
            await replying(lambda _: answer())(reader, writer)
        finally:
            writer.transport.abort()

    def loaded(stalled: Callable[[], float]) -> dict[str, Any]:
        nonlocal began
        began = time.monotonic()
        return load(late, seconds=0.1, processors=stalled)

    assert loaded(lambda: 0.0)["outcomes"] == {"timeout": 10}
    result = loaded(lambda: time.monotonic() - began)
    assert result["outcomes"] == {"ok": 10}
    assert result["late"]["processors_stalled_seconds"] > 0.5


def test_connections_kept_alive_are_renewed_when_told_to() -> None:
    """Else those that were opened before a flip stay with the release before, and a flip back moves none of them."""
    uses: list[tuple[float, float]] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened = time.monotonic()

        def reply(_: int) -> bytes:
            uses.append((opened, time.monotonic()))
            return answer()

        await replying(reply)(reader, writer)

    async def run(*, renewed: bool) -> float:
        server = await asyncio.start_server(noting, "127.0.0.1", 0)
        sending = Generator(Plan(Target("127.0.0.1", server.sockets[0].getsockname()[1], "/"), 100, 1, kept=4))
        asyncio.get_running_loop().call_later(0.5, sending.renew if renewed else list)
        began = time.monotonic()
        try:
            assert (await sending.run())["outcomes"] == {"ok": 100}
        finally:
            server.close()
        return began + 0.5

    old = []
    for renewed in (False, True):
        uses.clear()
        moment = asyncio.run(run(renewed=renewed))
        old.append([asked for opened, asked in uses if opened < moment and asked > moment + 0.2])
    assert old[0] and not old[1]
