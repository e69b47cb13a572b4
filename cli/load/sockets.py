"""WebSocket connections that stay open: a message a second on each, which the server gives back.

A goodbye (close frame 1001, or any other in good order) is answered by another connection and is no failure; a
connection that ends without a close frame is one.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from cli.load.exchange import Answer, Broken

if TYPE_CHECKING:
    import httpx2
    from httpx2.websockets import AsyncWebSocketSession

EVERY = 1.0
"""Seconds between two messages on one connection."""
GOODBYES = (1000, 1001, 1012)
"""Close codes of a server that leaves in good order (RFC 6455, 7.4): normal, going away, service restart."""
HANDSHAKE = 5.0
"""Seconds that the bare opening of a connection has; whoever waits for a message has less."""


class Socket:
    """One connection after the other, as a context. To be used by one task alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: AsyncWebSocketSession | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Socket:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def ask(self, text: str) -> Answer:
        """Say something and hear it back. What crosses the server's goodbye is said again to the next one.

        Raises Broken when the connection was cut or could not be opened.
        """
        while True:
            session = await self._connected()
            try:
                if (body := await self._said(session, text)) is not None:
                    return Answer(200, body.encode(), keep=True)
            except BaseException:
                await self._close()
                raise

    async def listen(self, seconds: float) -> None:
        """Be there for that long. Raises Broken when the connection was cut meanwhile, or opened in vain."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            session = await self._connected()
            try:
                await self._heard(session, left)
            except TimeoutError:
                return
            except BaseException:
                await self._close()
                raise

    async def _said(self, session: AsyncWebSocketSession, text: str) -> str | None:
        """The answer, None when the server said goodbye instead."""
        from httpx2.websockets import WebSocketNetworkError
        from wsproto.utilities import LocalProtocolError

        try:
            await session.send_text(text)
        except LocalProtocolError:
            pass  # the server's goodbye is here already: hear it
        except WebSocketNetworkError:
            raise Broken("cut") from None
        return await self._heard(session, None)

    async def _heard(self, session: AsyncWebSocketSession, seconds: float | None) -> str | None:
        from httpx2.websockets import WebSocketDisconnect, WebSocketNetworkError

        try:
            return await session.receive_text(seconds)
        except WebSocketDisconnect as goodbye:
            if goodbye.code not in GOODBYES:
                raise Broken(f"closed with {goodbye.code}") from None
            await self._close()
            return None
        except WebSocketNetworkError:
            raise Broken("cut") from None

    async def _connected(self) -> AsyncWebSocketSession:
        import httpx2
        from httpx2.websockets import WebSocketUpgradeError

        if self._session is None:
            try:
                client = await self._open.enter_async_context(_client())
                opening = client.websocket(self._url, keepalive_ping_interval_seconds=None)
                self._session = await self._open.enter_async_context(opening)
            except WebSocketUpgradeError as refused:
                await self._close()
                raise Broken(f"status {refused.response.status_code}") from None
            except httpx2.HTTPError as error:
                await self._close()
                raise Broken(_called(error)) from None
        return self._session

    async def _close(self) -> None:
        self._session = None
        await self._open.aclose()
        self._open = AsyncExitStack()


def _client() -> httpx2.AsyncClient:
    """For plain HTTP alone: to load the authorities of TLS for each connection would stall the generator."""
    import httpx2

    return httpx2.AsyncClient(trust_env=False, verify=False, timeout=HANDSHAKE)


def _called(error: Exception) -> str:
    """`refused`, `timeout`, or the error's own name."""
    name = type(error).__name__
    return {"ConnectError": "refused", "ConnectTimeout": "connect timeout", "ReadTimeout": "timeout"}.get(name, name)
