"""Asks an environment's Prometheus through the API server: a kubeconfig is all that it takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.gates.builtin import Gate
from cli.gates.judge import Counts
from cli.gates.samples import counted

if TYPE_CHECKING:
    from cli.kube.client import Kube

SERVICE, PORT = "prometheus", "http"


@dataclass(frozen=True)
class Prometheus:
    """The server in an environment's monitoring namespace. Raises TurnoutError when it does not answer."""

    kube: Kube
    environment: str

    def now(self) -> float:
        """The server's own time, in seconds since 1970."""
        return float(self._query("time()", None)[1])

    def counts(self, gate: Gate, window: int, at: float) -> Counts:
        """The gate's events in the `window` seconds before `at`. The same moment for all, or a scrape comes between."""
        total = counted(self._query(f"{gate.all_of_them}[{window}s]", at))
        part = min(counted(self._query(f"{gate.part}[{window}s]", at)), total)
        return Counts(part if gate.sense == "bad" else total - part, total)

    def _query(self, query: str, at: float | None) -> list[Any]:
        params = {"query": query} | ({} if at is None else {"time": f"{at:.3f}"})
        try:
            body = self.kube.proxy(f"{self.environment}-monitoring", SERVICE, PORT, "/api/v1/query", params)
            result: list[Any] = json.loads(body)["data"]["result"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._silent(f"its answer is no answer: {type(error).__name__}") from error
        except TurnoutError as error:
            raise self._silent(error.what) from error
        return result

    def _silent(self, why: str) -> TurnoutError:
        return TurnoutError(
            f"the Prometheus of {self.environment} could not be asked",
            why=why,
            next=f"turnout status {self.environment}",
        )
