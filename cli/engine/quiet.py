"""What the program says to the engine, without what nobody reads."""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2


class Quiet:
    """The engine as the SDK sees it, less its debug messages.

    The SDK sends four for each resource, waits for the answer to each one on the program's own thread, and gets each
    back as an event that is thrown away: for 1,001 resources two thirds of all events.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def Log(self, request: Any, *more: Any, **options: Any) -> Any:  # noqa: N802  (named by the protocol)
        if request.severity == engine_pb2.DEBUG:
            return empty_pb2.Empty()
        return self._engine.Log(request, *more, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)
