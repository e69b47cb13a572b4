"""When to ask again, and how long to wait before it: bounded, jittered, honouring Retry-After."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from cli.kube.requests import Answer, Request

BUSY = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Lost:
    """No answer came. `sent`: the request may have reached the server, so a write's outcome is unknown."""

    why: str
    sent: bool


@dataclass(frozen=True)
class Policy:
    """At most `attempts` tries; waits double from `first` seconds to `longest`, a Retry-After up to `patience`."""

    attempts: int = 6
    first: float = 0.2
    longest: float = 5.0
    patience: float = 30.0
    jitter: Callable[[], float] = random.random

    def pause(self, request: Request, outcome: Answer | Lost, attempt: int) -> float | None:
        """Seconds to wait before attempt `attempt + 1`; None when the outcome stands."""
        if attempt >= self.attempts or not _may_repeat(request, outcome):
            return None
        asked = _retry_after(outcome)
        if asked is not None:
            return min(asked, self.patience) + self.jitter() * self.first
        step = min(self.longest, self.first * 2 ** (attempt - 1))
        return float(step * (0.5 + self.jitter() / 2))


def _may_repeat(request: Request, outcome: Answer | Lost) -> bool:
    if isinstance(outcome, Lost):
        return request.repeatable or not outcome.sent
    if outcome.status == 429:
        return True
    return outcome.status in BUSY and (request.repeatable or outcome.status == 503)


def _retry_after(outcome: Answer | Lost) -> float | None:
    if isinstance(outcome, Lost):
        return None
    value = outcome.headers.get("retry-after", "")
    return float(value) if value.isdigit() else None
