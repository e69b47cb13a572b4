"""A question to the cluster beside other work: whoever does not wait for the answer goes on without it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from cli.errors import TurnoutError

if TYPE_CHECKING:
    from cli.kube.client import Kube

Answer = TypeVar("Answer")


class Beside(Generic[Answer]):
    """Asks `question` of the environment's cluster from now on; where that does not tell, the answer is `otherwise`.

    `silence`: why the last `within` had to make do with that; empty where there was an answer.
    """

    silence = ""

    def __init__(self, environment: str, question: Callable[[Kube], Answer], otherwise: Answer) -> None:
        import asyncio  # noqa: F401 -- of two threads that import it first, one finds it half made

        self._environment, self._question, self._otherwise = environment, question, otherwise
        self._heard = (otherwise, "no answer came in time")
        self._thread = threading.Thread(target=self._ask, name="beside", daemon=True)
        self._thread.start()

    def within(self, seconds: float) -> Answer:
        """The answer, waiting no longer than that."""
        self._thread.join(seconds)
        answer, self.silence = self._heard
        return answer

    def _ask(self) -> None:
        from cli.rollout import where

        try:
            with where.connect(self._environment) as kube:
                self._heard = (self._question(kube), "")
        except TurnoutError as error:
            self._heard = (self._otherwise, error.what)
        except Exception as error:  # a preview that has ended takes its threads' executors along
            self._heard = (self._otherwise, type(error).__name__)
