"""What the stack's last update told of itself: how a plain `pulumi up` knows where tracks stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components import tracks
from components.names import RELEASE
from components.tracks import Head, Heads, Known, Tracks

_READ: Final = "pulumi:pulumi:readStackOutputs"


@dataclass(frozen=True)
class Last:
    """The last update's outputs `tracks`, `release` and `record`; all empty before the first."""

    tracks: Mapping[str, Tracks]
    known: Known
    release: str
    record: Heads
    copies: Mapping[str, int]

    @classmethod
    def of(cls, outputs: Mapping[str, Any]) -> Last:
        told = outputs.get("tracks") or {}
        heads = tuple(map(Head.parse, outputs.get("record") or ()))
        return cls(
            tracks.from_output(told), tracks.known(told), str(outputs.get(RELEASE) or ""), heads, tracks.copies(told)
        )


def update() -> Last:
    """Of this stack. Asks the engine at once, because what the program declares depends on the answer."""
    return Last.of(_outputs(f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"))


def none() -> Last:
    """As if there had been no update."""
    return Last.of({})


def _outputs(stack: str) -> Mapping[str, Any]:
    from google.protobuf import json_format, struct_pb2
    from pulumi.runtime.proto import resource_pb2
    from pulumi.runtime.settings import get_monitor

    arguments = struct_pb2.Struct()
    arguments["name"] = stack
    engine: Any = get_monitor()
    answer = engine.Invoke(resource_pb2.ResourceInvokeRequest(tok=_READ, args=arguments))
    if failures := [failure.reason for failure in answer.failures]:
        raise pulumi.RunError(f"the stack's last outputs could not be read: {'; '.join(failures)}")
    found: Mapping[str, Any] = json_format.MessageToDict(getattr(answer, "return"))
    return found.get("outputs") or {}
