"""`python -m cli.provider [--offline] [ENGINE]`: serve on a free port of the loopback, and print it as the first line.

Offline it previews by what the state recorded, and asks no cluster anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys

import grpc.aio

OFFLINE = "--offline"
LARGEST_MESSAGE = 400 * 1024 * 1024
GRACE = 5.0
"""Seconds that running calls get to record what they know when the provider is told to end."""


async def serve(engine: str | None, *, offline: bool = False) -> None:
    from cli.provider import protocol
    from cli.provider.service import Provider

    provider = Provider(engine, offline=offline)
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE)]
    server = grpc.aio.server(options=options)
    protocol.provider_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    if _announced(port):
        await _told_to_end()
    provider.cancel()
    await server.stop(GRACE)
    await provider.close()


def _announced(port: int) -> bool:
    """Whether somebody heard the port; whoever started us may be gone already."""
    try:
        os.write(1, f"{port}\n".encode())
    except BrokenPipeError:
        return False
    return True


async def _told_to_end() -> None:
    """SIGTERM or SIGINT came, or whoever started us is gone: no longer our parent, or no longer holding our input."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, _read_lifeline, ended)
    parent = os.getppid()
    while not ended.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 1.0)


def _read_lifeline(ended: asyncio.Event) -> None:
    if not os.read(0, 4096):
        asyncio.get_running_loop().remove_reader(0)
        ended.set()


def main() -> None:
    words = [word for word in sys.argv[1:] if word != OFFLINE]
    asyncio.run(serve(words[0] if words else None, offline=OFFLINE in sys.argv))


if __name__ == "__main__":
    main()
