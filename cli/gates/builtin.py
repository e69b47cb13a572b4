"""The gates that every environment has, from its own objectives: errors, latency, failed workflows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cli.gates.samples import CONTEXT
from components.prometheus.metrics import REQUESTS, WORKFLOWS

if TYPE_CHECKING:
    from components.prometheus.settings import Slo


Sense = Literal["bad", "good"]
Operator = Literal["=", "=~", "!="]


@dataclass(frozen=True)
class Matcher:
    """One label as PromQL matches it."""

    label: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{_quoted(self.value)}"'

    def fits(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.label, "")
        if self.operator == "=~":
            return re.fullmatch(self.value, value) is not None
        return (value == self.value) == (self.operator == "=")


@dataclass(frozen=True)
class Selection:
    """Series by their names and labels."""

    names: tuple[str, ...]
    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        if len(self.names) == 1:
            return f"{self.names[0]}{{{', '.join(map(str, self.matchers))}}}"
        named = Matcher("__name__", "=~", "|".join(self.names))
        return f"{{{', '.join(map(str, (named, *self.matchers)))}}}"

    def fits(self, labels: Mapping[str, str]) -> bool:
        return labels.get("__name__") in self.names and all(matcher.fits(labels) for matcher in self.matchers)


@dataclass(frozen=True)
class Service:
    """Whose events: a workload in a namespace. `answers`: HTTP, else it works through workflows.

    `pods`, a regular expression, narrows them to those of one track.
    """

    namespace: str
    name: str
    answers: bool = True
    pods: str = ""

    def of(self, letter: str) -> Service:
        """Only that track's."""
        return Service(self.namespace, self.name, self.answers, pods_of(self.name, letter))

    def only(self, pods: Iterable[str]) -> Service:
        """Only those pods'."""
        return Service(self.namespace, self.name, self.answers, "|".join(sorted(pods)))

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        own = (
            Matcher("job", "=", "app"),
            Matcher("namespace", "=", self.namespace),
            Matcher("service", "=", self.name),
        )
        return (*own, Matcher("pod", "=~", self.pods)) if self.pods else own


@dataclass(frozen=True)
class Gate:
    """One question about one service: what counts all events, and what counts the bad (or the good) among them.

    `limit`: the share of bad events that may be.
    """

    name: str
    service: Service
    whole: str
    part: str
    which: Matcher
    limit: float
    sense: Sense = "bad"

    @property
    def selection(self) -> Selection:
        """All that its counting needs, so that it comes from one moment. A whole has no label of parts."""
        narrowed = (Matcher(self.which.label, "=~", f"|{self.which.value}"),) if self.part != self.whole else ()
        return Selection((*CONTEXT, *dict.fromkeys((self.whole, self.part))), (*self.service.matchers, *narrowed))

    @property
    def all_of_them(self) -> Selection:
        return Selection((self.whole,), self.service.matchers)

    @property
    def some_of_them(self) -> Selection:
        return Selection((self.part,), (*self.service.matchers, self.which))

    def query(self, seconds: float) -> str:
        """What to ask Prometheus for the same figure, to look at it oneself."""
        window = f"[{max(1, round(seconds))}s]"
        part, whole = (f"sum(increase({one}{window}))" for one in (self.some_of_them, self.all_of_them))
        return f"{part} / {whole}" if self.sense == "bad" else f"1 - {part} / {whole}"


def pods_of(name: str, letter: str) -> str:
    """A regular expression of the names of a track's pods: those that its ReplicaSets give them."""
    return f"{re.escape(name)}-{letter}-[a-z0-9]+-[a-z0-9]+".replace("\\-", "-")


def services(namespace: str, answering: Iterable[str], working: Iterable[str]) -> list[Service]:
    """The parts of an app that keep running."""
    found = [Service(namespace, name) for name in answering]
    return found + [Service(namespace, name, answers=False) for name in working]


def gates(service: Service, slos: Iterable[Slo]) -> Iterator[Gate]:
    """One gate for each objective that is about this service."""
    for slo in slos:
        if re.fullmatch(slo.services, service.name) and service.answers == (slo.kind != "workflow"):
            yield _GATES[slo.kind](service, slo)


def slower(service: Service, bound: str) -> Gate:
    """How many are answered later than a bucket's `bound`, as it is spelled; what may be, the baseline says."""
    return _within("p95", service, bound, 0.0)


def _errors(service: Service, slo: Slo) -> Gate:
    counter = f"{REQUESTS}_count"
    return Gate(slo.name, service, counter, counter, Matcher("http_response_status_code", "=~", "5.."), slo.budget)


def _latency(service: Service, slo: Slo) -> Gate:
    """A bound is written `1` or `1.0`, by the version that scraped it."""
    bound = float(slo.threshold or 0)
    spellings = dict.fromkeys((f"{bound:g}", repr(bound)))
    return _within(slo.name, service, "|".join(spellings), slo.budget)


def _within(name: str, service: Service, bounds: str, limit: float) -> Gate:
    which = Matcher("le", "=~", bounds.replace(".", "\\."))
    return Gate(name, service, f"{REQUESTS}_count", f"{REQUESTS}_bucket", which, limit, "good")


def _workflow(service: Service, slo: Slo) -> Gate:
    counter = f"{WORKFLOWS}_count"
    return Gate(slo.name, service, counter, counter, Matcher("error_type", "!=", ""), slo.budget)


_GATES = {"availability": _errors, "latency": _latency, "workflow": _workflow}


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
