"""The SDK's debug messages stay here; everything else that it tells the engine arrives."""

from __future__ import annotations

from typing import Any

from pulumi.runtime.proto import engine_pb2

from cli.engine.quiet import Quiet


class Heard:
    """An engine that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def Log(self, request: Any) -> str:  # noqa: N802
        self.told.append(("log", request.message))
        return "answer"

    def RequirePulumiVersion(self, request: Any) -> str:  # noqa: N802
        self.told.append(("version", request))
        return "fits"


def test_debug_messages_are_dropped_and_others_are_passed_on() -> None:
    engine = Heard()
    quiet = Quiet(engine)
    quiet.Log(engine_pb2.LogRequest(severity=engine_pb2.DEBUG, message="preparing"))
    assert engine.told == []
    for severity in (engine_pb2.INFO, engine_pb2.WARNING, engine_pb2.ERROR):
        assert quiet.Log(engine_pb2.LogRequest(severity=severity, message=str(severity))) == "answer"
    assert [message for _, message in engine.told] == ["1", "2", "3"]


def test_other_calls_reach_the_engine() -> None:
    engine = Heard()
    assert Quiet(engine).RequirePulumiVersion("3.x") == "fits"
    assert engine.told == [("version", "3.x")]
