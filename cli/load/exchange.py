"""One HTTP/1.1 request on one connection, as small as it can be: a generator must not be what is slow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What came back: a status and a body, and whether the server lets the connection live."""

    status: int
    body: bytes
    keep: bool


class Broken(Exception):
    """No whole answer came; its text is the outcome that is counted (`closed`, `reset`, `malformed`)."""


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time. A connection that ends while idle is no failure."""

    def __init__(self) -> None:
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._data = bytearray()

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send the request; the future gives the answer or raises Broken."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._data.clear()
        if self._transport is None or not self.usable:
            self._fail("closed")
        else:
            self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """End the connection; what is awaited on it is given up."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        try:
            answer = parse(self._data)
        except ValueError:
            self._fail("malformed")
            self.close()
            return
        if answer is not None:
            self._finish(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.usable = False
        self._fail("reset" if error else "closed")

    def _finish(self, answer: Answer) -> None:
        self.usable = answer.keep
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)
        self._data.clear()
        if not answer.keep:
            self.close()

    def _fail(self, outcome: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(outcome))


def parse(data: bytearray) -> Answer | None:
    """The answer in these bytes, None while it is not whole. Raises ValueError when it is no HTTP with a length."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = bytes(data[:end]).split(b"\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
    length = int(headers[b"content-length"]) if b"content-length" in headers else _unsized(lines[0])
    body = bytes(data[end + 4 :])
    if len(body) < length:
        return None
    return Answer(_status(lines[0]), body[:length], headers.get(b"connection", b"").lower() != b"close")


def get(host: str, path: str, *, keep: bool) -> bytes:
    """The bytes of a GET request."""
    connection = "keep-alive" if keep else "close"
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: turnout-load", f"Connection: {connection}", "", "")
    return "\r\n".join(lines).encode()


def _status(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError("not HTTP/1")
    return int(rest[:3])


def _unsized(line: bytes) -> int:
    raise ValueError(f"an answer without a length: {line!r}")
