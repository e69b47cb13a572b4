"""The asyncio driver of the same operations, for the provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import httpx2
from lightkube.core.exceptions import ConfigError

from cli.kube.client import BROKEN, LIMITS, WHOLE, event, lost, timeouts
from cli.kube.config import Endpoint
from cli.kube.errors import KubeError, Stopped, from_answer, no_credentials
from cli.kube.operations import STOP, Broken, Lines, Operation, Pause, Server
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
        whole: float = WHOLE,
    ) -> None:
        """`heard` is called with each warning that the server sends along; `whole`: seconds for a whole answer."""
        self._heard = heard
        self._whole = whole
        self.endpoint = where
        self.server = server or Server()
        verify: Any = where.tls if where.tls is not None else True
        self._options: dict[str, Any] = {
            "base_url": where.server,
            "auth": where.auth,
            "verify": verify,
            "timeout": timeouts(whole),
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
        """The events of one watch request until it ends. Raises Expired, other KubeErrors, or one of BROKEN."""
        timeout = httpx2.Timeout(30, connect=5, read=seconds + 5)
        stream = self._watcher().stream(
            "GET", request.path, params=request.params, headers=request.headers(), timeout=timeout
        )
        async with stream as response:
            if response.status_code >= 400:
                raise from_answer(request.action, response.status_code, await response.aread())
            lines = Lines()
            async for chunk in response.aiter_bytes():
                for line in lines.of(chunk):
                    yield event(request, line)
            for line in lines.last():
                yield event(request, line)

    def _watcher(self) -> httpx2.AsyncClient:
        """Watches hold their connections for minutes, so they must not use up those of the requests."""
        if self._watching is None:
            unlimited = httpx2.Limits(max_connections=None, max_keepalive_connections=4)
            self._watching = httpx2.AsyncClient(**self._options, limits=unlimited)
        return self._watching

    async def _step(self, operation: Operation[T], wanted: Request | Pause) -> Request | Pause:
        if isinstance(wanted, Pause):
            return _advance(operation, await _rest(wanted.seconds))
        try:
            answer = await self._send(wanted)
        except ConfigError as error:
            return _advance(operation, no_credentials(str(error)))
        except BROKEN as error:
            return _advance(operation, Broken(lost(error)))
        except TimeoutError:
            return _advance(operation, Broken(Lost(f"no whole answer within {self._whole:g} s", sent=True)))
        return _advance(operation, answer)

    async def _send(self, request: Request) -> Answer:
        async with self._turn, asyncio.timeout(self._whole):
            response = await self._http.request(
                request.method, request.path, params=request.params, content=request.body, headers=request.headers()
            )
        if self._heard and "warning" in response.headers:
            for text in warnings(response.headers.get_list("warning")):
                await self._heard(text)
        return Answer(response.status_code, response.headers, response.content)


async def _rest(seconds: float) -> Stopped | None:
    """None once the time is over; an error when there is no more waiting."""
    stop = STOP.get()
    if stop is None:
        await asyncio.sleep(seconds)
        return None
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return Stopped("told to end while waiting to ask the API server again") if stop.is_set() else None


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
