"""The gates that every environment has, from its own objectives: errors, latency, failed workflows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from components.prometheus.settings import Slo

REQUESTS = "http_server_request_duration_seconds"
WORKFLOWS = "gen_ai_workflow_duration_seconds"

Sense = Literal["bad", "good"]


@dataclass(frozen=True)
class Gate:
    """One question about one service. `part` and `all_of_them` select counters; `part` counts the bad or the good.

    `limit`: the share of bad events that may be.
    """

    name: str
    service: str
    part: str
    all_of_them: str
    limit: float
    sense: Sense = "bad"


@dataclass(frozen=True)
class Service:
    """Whose events: a workload in a namespace. `answers`: HTTP, else it works through workflows.

    `pods`, a regular expression, narrows them to those of one release.
    """

    namespace: str
    name: str
    answers: bool = True
    pods: str = ""

    @property
    def matchers(self) -> str:
        pods = f', pod=~"{self.pods}"' if self.pods else ""
        return f'job="app", namespace="{self.namespace}", service="{self.name}"{pods}'


def services(namespace: str, answering: Iterable[str], working: Iterable[str]) -> list[Service]:
    """The parts of an app that keep running."""
    found = [Service(namespace, name) for name in answering]
    return found + [Service(namespace, name, answers=False) for name in working]


def gates(service: Service, slos: Iterable[Slo]) -> Iterator[Gate]:
    """One gate for each objective that is about this service."""
    for slo in slos:
        if re.fullmatch(slo.services, service.name) and service.answers == (slo.kind != "workflow"):
            yield _GATES[slo.kind](service, slo)


def _errors(service: Service, slo: Slo) -> Gate:
    failed = f'{REQUESTS}_count{{{service.matchers}, http_response_status_code=~"5.."}}'
    return Gate(slo.name, service.name, failed, f"{REQUESTS}_count{{{service.matchers}}}", slo.budget)


def _latency(service: Service, slo: Slo) -> Gate:
    """A bound is written `1` or `1.0`, by the version that scraped it."""
    bound = float(slo.threshold or 0)
    spellings = "|".join(text.replace(".", "\\\\.") for text in dict.fromkeys((f"{bound:g}", repr(bound))))
    quick = f'{REQUESTS}_bucket{{{service.matchers}, le=~"{spellings}"}}'
    return Gate(slo.name, service.name, quick, f"{REQUESTS}_count{{{service.matchers}}}", slo.budget, "good")


def _workflow(service: Service, slo: Slo) -> Gate:
    failed = f'{WORKFLOWS}_count{{{service.matchers}, error_type!=""}}'
    return Gate(slo.name, service.name, failed, f"{WORKFLOWS}_count{{{service.matchers}}}", slo.budget)


_GATES = {"availability": _errors, "latency": _latency, "workflow": _workflow}
