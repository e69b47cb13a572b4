"""Gates that the settings add: a query, a request to the candidate. Each is asked once in a look."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.gates.answers import Answer, silent
from cli.gates.judge import Judgement
from cli.gates.samples import Span

if TYPE_CHECKING:
    from cli.gates.prometheus import Prometheus
    from cli.kube.client import Kube
    from components.rollout.settings import GateSettings

_TRIES = 2
_SHOWN = 5


@dataclass(frozen=True)
class About:
    """What is asked about. `pods`: a regular expression of the candidate's."""

    environment: str
    service: str
    track: str
    baseline: str
    pods: str
    span: Span

    def words(self) -> dict[str, str]:
        """What stands for $service and so on in a query."""
        return {
            "service": self.service,
            "track": self.track,
            "namespace": self.environment,
            "pods": self.pods,
            "window": f"{max(1, round(self.span.seconds))}s",
        }

    def variables(self) -> dict[str, str]:
        """What a command finds in its environment."""
        return {
            "TURNOUT_ENVIRONMENT": self.environment,
            "TURNOUT_SERVICE": self.service,
            "TURNOUT_TRACK": self.track,
            "TURNOUT_BASELINE": self.baseline,
            "TURNOUT_SINCE": f"{self.span.since:.0f}",
            "TURNOUT_UNTIL": f"{self.span.until:.0f}",
        }


def query(prometheus: Prometheus, name: str, gate: GateSettings, about: About) -> Answer:
    """What a query answers at the end of the span, against its limit: every series of it must keep to it."""
    asked = Template(gate.query or "").safe_substitute(about.words())
    try:
        numbers = _numbers(prometheus.query(asked, about.span.until))
    except TurnoutError as error:
        return silent(about.service, name, error, asked)
    judged = limited(list(numbers.values()), gate.above, gate.below)
    return Answer(about.service, name, judged, asked, dict(list(numbers.items())[:_SHOWN]))


def limited(numbers: Iterable[float], above: float | None, below: float | None) -> Judgement:
    """Whether any of the numbers is above (or below) what may be; no number at all is no data."""
    found = [number for number in numbers if not math.isnan(number)]
    if not found:
        return Judgement("no data", "the query answers no number")
    worst = max(found) if above is not None else min(found)
    limit, word = (above, "above") if above is not None else (below, "below")
    broken = limit is not None and (worst > limit if above is not None else worst < limit)
    return Judgement("fail" if broken else "pass", f"{worst:.6g}, must not be {word} {limit:g}")


def http(kube: Kube, name: str, gate: GateSettings, about: About) -> Answer:
    """What the candidate's own Service answers, by the API server. Two bad answers in a row fail."""
    path = gate.http or "/"
    entry = _entry(kube, about)
    asked = f"GET {about.environment}/{entry}:http{path}"
    try:
        outcomes = (_status(kube, about.environment, entry, path) for _ in range(_TRIES))
        status, text = _good(outcomes, gate.status)
    except TurnoutError as error:
        return silent(about.service, name, error, asked)
    judged = Judgement("pass" if status == gate.status else "fail", f"answers {status}, {gate.status} is wanted{text}")
    return Answer(about.service, name, judged, asked, {"status": status})


def _entry(kube: Kube, about: About) -> str:
    """The track's own Service, where it has one; else its pods are all that the service has."""
    own = f"{about.service}-{about.track}"
    return own if kube.find("v1", "Service", own, about.environment) else about.service


def _good(outcomes: Iterable[tuple[int, str]], wanted: int) -> tuple[int, str]:
    """The first outcome that is as wanted, else the last."""
    last = (0, "")
    for last in outcomes:
        if last[0] == wanted:
            break
    return last


def _numbers(result: list[Any]) -> dict[str, float]:
    """Series by their labels; a scalar by no label."""
    if result and not isinstance(result[0], Mapping):
        return {"value": float(result[1])}
    return {_label(one["metric"]): float(one["value"][1]) for one in result if "value" in one}


def _label(metric: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(metric.items()) if name != "__name__") or "value"


def _status(kube: Kube, namespace: str, entry: str, path: str) -> tuple[int, str]:
    """(status, what else there is to say). Raises KubeError where the API server itself could not or would not ask."""
    from cli.kube import requests
    from cli.kube.errors import KubeError
    from cli.kube.retry import Policy, Tries

    try:
        request = requests.proxy(namespace, entry, "http", path)
        tries = Tries(Policy(attempts=1, restart=1), time.monotonic)
        return kube.run(kube.server.exchange(request, tries)).status, ""
    except KubeError as error:
        if error.status == 0 or _of_api_server(error):
            raise
        return error.status, f": {error.message[:200]}"


def _of_api_server(error: Any) -> bool:
    """Whether the API server answers for itself: the right is missing, there is no such Service, no way to the pod."""
    own = ("services ", "no endpoints available", "error trying to reach service")
    refused = "connection refused" in error.message or "no endpoints" in error.message
    return error.message.startswith(own) and not refused
