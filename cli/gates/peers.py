"""Pods of the other track that are of the candidate's age: a process that has run for days is warm, a new one is not.

So a comparison with long-running pods calls good releases slow. Kayenta's rule: compare with a baseline of the same age
(Netflix, "Automated Canary Analysis at Netflix with Kayenta", 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.gates.builtin import Selection, Service
from cli.gates.counting import seen
from cli.gates.samples import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.gates.counting import Source
    from cli.gates.samples import Span

TWICE = 2
"""How many times as old as the candidate a pod of the same age may be,"""
AND = 60.0
"""and how many seconds more: both begin slowly."""


@dataclass(frozen=True)
class Peers:
    """Whom the candidate is compared with. `alike`: they are of its age; else they are all that the track has."""

    service: Service
    pods: int
    alike: bool

    def values(self) -> dict[str, str | int]:
        """What an answer tells of them."""
        return {"baseline_pods": self.pods, "baseline_age": "the same" if self.alike else "older"}


def peers(source: Source, candidate: Service, baseline: Service, span: Span) -> Peers:
    """The baseline's pods of the candidate's age, where there are any; else all of them."""
    own, others = _ages(source, candidate, span), _ages(source, baseline, span)
    limit = TWICE * max(own.values(), default=0.0) + AND
    young = [pod for pod, age in others.items() if age <= limit] if own else []
    if not young:
        return Peers(baseline, len(others), alike=False)
    return Peers(baseline.only(young), len(young), alike=True)


def _ages(source: Source, service: Service, span: Span) -> Mapping[str, float]:
    """Seconds since each pod's process began, at the end of the span."""
    began = seen(source, Selection(CONTEXT, service.matchers), span).processes.latest()
    return {pod: span.until - at for pod, at in began.items()}
