"""The engine at the other end: what the user is shown while a resource is worked on."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio

from cli.provider import protocol
from cli.provider.hidden import masked

URN: ContextVar[str] = ContextVar("urn", default="")
"""The resource that the present call is about."""
HOST: ContextVar[Host | None] = ContextVar("host", default=None)
"""The engine that the present call came from."""


async def heard(text: str) -> None:
    """A warning of the API server, passed on for the resource whose call brought it."""
    host = HOST.get()
    if host and not (host.no_deprecations and _DEPRECATION in text):
        await host.warning(text)


_DEPRECATION = " is deprecated in v"
"""What the API server says of an old version of a kind."""
REMEMBERED = 1000
"""Warnings that are not shown twice: those of resources worked on a while ago are forgotten."""


class Host:
    """Sends messages to the engine; does nothing before an engine is known, and never fails a resource."""

    def __init__(self) -> None:
        self.no_deprecations = False
        self._engine: Any = None
        self._shown: dict[str, str] = {}
        self._warned: dict[tuple[str, str], None] = {}

    def attach(self, address: str) -> None:
        channel = grpc.aio.insecure_channel(address)
        self._engine = protocol.engine_grpc.EngineStub(channel)

    async def status(self, text: str) -> None:
        """What the resource waits for; replaces the last status, and is shown only while it is worked on."""
        urn = URN.get()
        if self._shown.get(urn, "") != text:
            self._shown[urn] = text
            await self._log(protocol.engine.INFO, text, ephemeral=True)

    async def done(self) -> None:
        """Clear the status."""
        if self._shown.pop(URN.get(), ""):
            await self._log(protocol.engine.INFO, "", ephemeral=True)

    async def warning(self, text: str) -> None:
        """A line that stays; the same one about the same resource is shown once."""
        key = (URN.get(), text)
        if key in self._warned:
            return
        self._warned[key] = None
        if len(self._warned) > REMEMBERED:
            del self._warned[next(iter(self._warned))]
        await self._log(protocol.engine.WARNING, text)

    async def _log(self, severity: int, text: str, *, ephemeral: bool = False) -> None:
        if self._engine is None:
            return
        text = masked(text)
        request = protocol.engine.LogRequest(severity=severity, message=text, urn=URN.get(), ephemeral=ephemeral)
        try:
            await self._engine.Log(request, timeout=5)
        except grpc.RpcError:
            return
