"""The asyncio driver of the same operations, for the provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import httpx2
from lightkube.core.exceptions import ConfigError

from cli.kube.client import LIMITS, TIMEOUT, UNSENT
from cli.kube.config import Endpoint
from cli.kube.errors import KubeError, from_answer, no_credentials
from cli.kube.operations import Broken, Operation, Pause, Server
from cli.kube.requests import Answer, Object, Request, warnings
from cli.kube.retry import Lost

T = TypeVar("T")


class AsyncKube:
    """Carries out operations of its `server` on the running loop."""

    def __init__(
        self,
        where: Endpoint,
        *,
        server: Server | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        heard: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`heard` is called with each warning that the server sends along."""
        self._heard = heard
        self.endpoint = where
        self.server = server or Server()
        verify: Any = where.tls if where.tls is not None else True
        self._options: dict[str, Any] = {
            "base_url": where.server,
            "auth": where.auth,
            "verify": verify,
            "timeout": TIMEOUT,
            "transport": transport,
        }
        self._http = httpx2.AsyncClient(**self._options, limits=LIMITS)
        self._turn = asyncio.Semaphore(LIMITS.max_connections or 32)
        self._watching: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        await self._http.aclose()
        if self._watching:
            await self._watching.aclose()

    async def run(self, operation: Operation[T]) -> T:
        """Carry an operation out."""
        try:
            wanted = next(operation)
            while True:
                wanted = await self._step(operation, wanted)
        except _Done as done:
            result: T = done.value
            return result
        except StopIteration as done:
            value: T = done.value
            return value

    async def events(self, request: Request, seconds: float) -> AsyncIterator[tuple[str, Object]]:
        """The events of one watch request until it ends. Raises Expired, other KubeErrors, or httpx2.TransportError."""
        timeout = httpx2.Timeout(30, connect=5, read=seconds + 5)
        stream = self._watcher().stream(
            "GET", request.path, params=request.params, headers=request.headers(), timeout=timeout
        )
        async with stream as response:
            if response.status_code >= 400:
                raise from_answer(request.action, response.status_code, await response.aread())
            async for line in response.aiter_lines():
                if line:
                    yield _event(request, line)

    def _watcher(self) -> httpx2.AsyncClient:
        """Watches hold their connections for minutes, so they must not use up those of the requests."""
        if self._watching is None:
            unlimited = httpx2.Limits(max_connections=None, max_keepalive_connections=4)
            self._watching = httpx2.AsyncClient(**self._options, limits=unlimited)
        return self._watching

    async def _step(self, operation: Operation[T], wanted: Request | Pause) -> Request | Pause:
        if isinstance(wanted, Pause):
            await asyncio.sleep(wanted.seconds)
            return _advance(operation, None)
        try:
            answer = await self._send(wanted)
        except ConfigError as error:
            return _advance(operation, no_credentials(str(error)))
        except httpx2.TransportError as error:
            lost = Lost(str(error) or type(error).__name__, not isinstance(error, UNSENT))
            return _advance(operation, Broken(lost))
        return _advance(operation, answer)

    async def _send(self, request: Request) -> Answer:
        async with self._turn:
            response = await self._http.request(
                request.method, request.path, params=request.params, content=request.body, headers=request.headers()
            )
        if self._heard and "warning" in response.headers:
            for text in warnings(response.headers.get_list("warning")):
                await self._heard(text)
        return Answer(response.status_code, response.headers, response.content)


class _Done(Exception):
    """StopIteration may not leave a coroutine."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _advance(operation: Operation[T], outcome: Answer | Broken | KubeError | None) -> Request | Pause:
    try:
        if outcome is None:
            return next(operation)
        return operation.send(outcome) if isinstance(outcome, Answer) else operation.throw(outcome)
    except StopIteration as done:
        raise _Done(done.value) from None


def _event(request: Request, line: str) -> tuple[str, Object]:
    event = json.loads(line)
    if event["type"] == "ERROR":
        raise from_answer(request.action, int(event["object"].get("code", 500)), json.dumps(event["object"]).encode())
    return event["type"], event["object"]
