"""What gates answer, as data and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cli.errors import TurnoutError
from cli.gates.judge import Judgement, Verdict, worst_of

Value = float | int | str


@dataclass(frozen=True)
class Answer:
    """One gate and what it says, with its evidence.

    `query`: what anybody can ask again: PromQL, a request, a command. `values`: what it gave.
    """

    service: str
    gate: str
    judgement: Judgement
    query: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    def having(self, more: Mapping[str, Value]) -> Answer:
        """The same with more evidence."""
        return replace(self, values={**self.values, **more})

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "gate": self.gate,
            **self.judgement.to_json(),
            "query": self.query,
            "values": dict(self.values),
        }


def silent(service: str, gate: str, error: TurnoutError, query: str = "") -> Answer:
    """A gate that could not be asked: no data, and why."""
    return Answer(service, gate, Judgement("no data", f"{error.what}: {error.why}"), query)


def worst(answers: Iterable[Answer]) -> Verdict:
    """fail before no data before pass; of none: no data."""
    return worst_of(answer.verdict for answer in answers)


def worst_first(answers: Iterable[Answer]) -> list[Answer]:
    """By verdict; else in the order in which they were asked."""
    return sorted(answers, key=lambda answer: ("fail", "no data", "pass").index(answer.verdict))


def told(answers: Iterable[Answer]) -> Iterator[str]:
    """For people, worst first; a failed gate shows what was asked and what came of it."""
    for one in worst_first(answers):
        yield f"{one.verdict:<7}  {one.service:<12} {one.gate}: {one.judgement.why}"
        if one.verdict == "fail":
            yield from _evidence(one)


def _evidence(one: Answer) -> Iterator[str]:
    if one.judgement.chance < 1:
        yield f"         chance {one.judgement.chance:.1e} where all is well"
    if one.query:
        yield f"         asked: {one.query}"
    if one.values:
        yield "         values: " + ", ".join(f"{name} {_short(value)}" for name, value in one.values.items())


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
