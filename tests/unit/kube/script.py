"""A scripted API server for operations, without any connection."""

from __future__ import annotations

import json
from typing import Any

from cli.kube.operations import Broken, Operation, Pause
from cli.kube.requests import Answer, Request
from cli.kube.retry import Lost


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    return Answer(status, headers, b"" if body is None else json.dumps(body).encode())


def refusal(status: int, reason: str, message: str = "no", **details: Any) -> Answer:
    return answer(status, {"kind": "Status", "reason": reason, "message": message, "code": status, "details": details})


def lost(*, sent: bool = True) -> Lost:
    return Lost("the connection was reset", sent)


class Script:
    """Runs an operation against prepared outcomes, and remembers what was asked and how long it paused."""

    def __init__(self, *outcomes: Answer | Lost) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[Request] = []
        self.pauses: list[float] = []

    def run(self, operation: Operation[Any]) -> Any:
        try:
            wanted = next(operation)
            while True:
                wanted = self._step(operation, wanted)
        except StopIteration as done:
            return done.value

    def _step(self, operation: Operation[Any], wanted: Request | Pause) -> Request | Pause:
        if isinstance(wanted, Pause):
            self.pauses.append(wanted.seconds)
            return next(operation)
        self.asked.append(wanted)
        outcome = self.outcomes.pop(0)
        return operation.throw(Broken(outcome)) if isinstance(outcome, Lost) else operation.send(outcome)
