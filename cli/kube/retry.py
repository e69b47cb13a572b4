"""When to ask again, and how long to wait before it: bounded, jittered, honouring Retry-After."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from cli.kube.requests import Answer, Request

BUSY = (429, 500, 502, 503, 504)
DOUBTFUL = (500, 502, 503, 504)


@dataclass(frozen=True)
class Lost:
    """No answer came. `sent`: the request may have reached the server, so a write's outcome is unknown."""

    why: str
    sent: bool


@dataclass(frozen=True)
class Policy:
    """At most `attempts` tries, the last begun within `budget` seconds of the first.

    Waits double from `first` seconds to `longest`; a Retry-After is honoured up to `patience`. A server that has
    answered before and now takes no connection is restarting: it gets `restart` tries.
    """

    attempts: int = 6
    restart: int = 15
    first: float = 0.2
    longest: float = 5.0
    patience: float = 30.0
    budget: float = 60.0
    jitter: Callable[[], float] = random.random

    def pause(
        self, request: Request, outcome: Answer | Lost, attempt: int, *, spent: float = 0.0, reached: bool = False
    ) -> float | None:
        """Seconds to wait before attempt `attempt + 1`; None when the outcome stands.

        `spent`: seconds since the first attempt began; `reached`: the server has answered something before.
        """
        if attempt >= self._limit(outcome, reached) or not _may_repeat(request, outcome):
            return None
        seconds = self._seconds(outcome, attempt)
        return seconds if spent + seconds <= self.budget else None

    def _limit(self, outcome: Answer | Lost, reached: bool) -> int:
        restarting = reached and isinstance(outcome, Lost) and not outcome.sent
        return max(self.attempts, self.restart) if restarting else self.attempts

    def _seconds(self, outcome: Answer | Lost, attempt: int) -> float:
        asked = _retry_after(outcome)
        if asked is not None:
            return min(asked, self.patience) + self.jitter() * max(self.first, min(asked, self.patience) / 4)
        step = min(self.longest, self.first * 2 ** min(attempt - 1, 30))
        return float(step * (0.5 + self.jitter() / 2))


class Tries:
    """The tries of one request. `doubt`: one of them may have been carried out without our hearing of it."""

    def __init__(self, policy: Policy, clock: Callable[[], float]) -> None:
        self._policy, self._clock = policy, clock
        self._began = clock()
        self.count = 0
        self.doubt = False

    @property
    def spent(self) -> float:
        """Seconds since the first one began."""
        return self._clock() - self._began

    def note(self, outcome: Answer | Lost) -> None:
        self.count += 1
        self.doubt = self.doubt or (outcome.sent if isinstance(outcome, Lost) else outcome.status in DOUBTFUL)

    def pause(self, request: Request, outcome: Answer | Lost, *, reached: bool) -> float | None:
        """As `Policy.pause`, after the tries that were noted."""
        return self._policy.pause(request, outcome, self.count, spent=self.spent, reached=reached)


def _may_repeat(request: Request, outcome: Answer | Lost) -> bool:
    if isinstance(outcome, Lost):
        return request.repeatable or not outcome.sent
    if outcome.status == 429:
        return True
    return outcome.status in BUSY and (request.repeatable or outcome.status == 503)


def _retry_after(outcome: Answer | Lost) -> float | None:
    """Seconds, also where the header is a date: that is taken from the server's own, as the two clocks may differ."""
    if isinstance(outcome, Lost):
        return None
    value = outcome.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    then, now = _moment(value), _moment(outcome.headers.get("date", ""))
    return max(0.0, (then - now).total_seconds()) if then and now else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
