"""Asks every gate of an environment about one window, and says what each found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cli.errors import TurnoutError
from cli.gates.builtin import Gate
from cli.gates.judge import Counts, Judgement, absolute


class Source(Protocol):
    """Where events are counted: Prometheus, or a recording of it."""

    def counts(self, gate: Gate, window: int, at: float) -> Counts: ...


@dataclass(frozen=True)
class Answer:
    """One gate and what it says."""

    gate: Gate
    judgement: Judgement

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.gate.service,
            "gate": self.gate.name,
            "limit": self.gate.limit,
            "query": self.gate.part,
            **self.judgement.to_json(),
        }


def ask(source: Source, gates: Iterable[Gate], window: int, at: float, at_least: int) -> list[Answer]:
    """Every gate's answer. One that cannot be asked has no data, and says why."""
    return [Answer(gate, _judged(source, gate, window, at, at_least)) for gate in gates]


def lines(answers: Sequence[Answer]) -> Iterator[str]:
    """For people, worst first; a failed gate shows its query."""
    for one in sorted(answers, key=lambda answer: ("fail", "no data", "pass").index(answer.judgement.verdict)):
        yield f"{one.judgement.verdict:<7}  {one.gate.service:<12} {one.gate.name}: {one.judgement.why}"
        if one.judgement.verdict == "fail":
            yield f"         chance {one.judgement.chance:.1e} where all is well; {one.gate.part}"


def _judged(source: Source, gate: Gate, window: int, at: float, at_least: int) -> Judgement:
    try:
        return absolute(source.counts(gate, window, at), gate.limit, at_least)
    except TurnoutError as error:
        return Judgement("no data", f"{error.what}: {error.why}")
