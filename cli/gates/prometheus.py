"""Asks an environment's Prometheus through the API server: a kubeconfig is all that it takes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.gates.samples import Span
from components.environment import Namespaces

if TYPE_CHECKING:
    from cli.gates.builtin import Selection
    from cli.kube.client import Kube

SERVICE, PORT = "prometheus", "http"
PATIENCE = 8.0
"""Seconds for one answer: a gate that waits longer than the next one is no gate."""
SKEW = 1.0
"""Seconds between two clocks that nobody minds."""


@dataclass(frozen=True)
class Prometheus:
    """The server in an environment's monitoring namespace. Raises TurnoutError when it does not answer."""

    kube: Kube
    environment: str

    def now(self) -> float:
        """The server's own time, in seconds since 1970."""
        return float(self._ask("query", {"query": "time()"})[1])

    def series(self, selection: Selection, span: Span) -> list[dict[str, Any]]:
        """Raw samples of a span of the server's clock; all at once, or a scrape comes between the bad and the good."""
        return self.query(f"{selection}[{max(1, round(span.seconds))}s]", span.until)

    def query(self, query: str, at: float | None = None) -> list[Any]:
        """The answer at a moment of the server's clock: series, or `[seconds, value]` of a scalar."""
        return self._ask("query", {"query": query, **({} if at is None else {"time": f"{at:.3f}"})})

    def range(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Series of a query's answers from `start` to `end` by this machine's clock, `step` seconds apart."""
        span = {"start": f"{start + self.ahead:.3f}", "end": f"{end + self.ahead:.3f}", "step": f"{step:g}"}
        return self._ask("query_range", {"query": query, **span})

    @cached_property
    def ahead(self) -> float:
        """Seconds by which the server's clock is ahead of this machine's."""
        seconds = self.now() - time.time()
        return seconds if abs(seconds) > SKEW else 0.0

    def _ask(self, what: str, params: dict[str, str]) -> list[Any]:
        from cli.kube import requests
        from cli.kube.retry import Policy, Tries

        path = f"/api/v1/{what}"
        request = requests.proxy(Namespaces.of(self.environment).monitoring, SERVICE, PORT, path, params)
        try:
            tries = Tries(Policy(attempts=2, restart=2, budget=PATIENCE), time.monotonic)
            body = self.kube.run(self.kube.server.exchange(request, tries)).body
            result: list[Any] = json.loads(body)["data"]["result"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._silent(f"its answer is no answer: {type(error).__name__}") from error
        except TurnoutError as error:
            raise self._silent(_reason(error)) from error
        return result

    def _silent(self, why: str) -> TurnoutError:
        return TurnoutError(
            f"the Prometheus of {self.environment} could not be asked",
            why=why,
            next=f"turnout status {self.environment}",
        )


def _reason(error: TurnoutError) -> str:
    """Its own words about a query that it does not understand, else what the API server says."""
    from cli.kube.errors import Invalid, KubeError

    if not isinstance(error, KubeError):
        return error.what
    try:
        return str(json.loads(error.message)["error"])
    except (ValueError, KeyError, TypeError):
        return error.message if isinstance(error, Invalid) else f"{error.what}: {error.message}"
