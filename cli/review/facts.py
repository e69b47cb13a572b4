"""What was found about single objects, put together as the reasons of a risk. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cli.review.model import Level, Reason
from infra.risks import RISKS, Topic

_NAMED = 5
"""How many objects one sentence names."""


@dataclass(frozen=True)
class Fact:
    """`subject` is the object, and `said` what is true of it: together they are one sentence."""

    code: str
    subject: str
    said: str
    urns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject} {self.said}"


def reasons(facts: Iterable[Fact], asked: Callable[[str, str], str]) -> tuple[Reason, ...]:
    """One reason for all objects of which the same is true, the worst first. `asked`: (code, level) to a threshold."""
    alike: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        alike.setdefault((fact.code, fact.said), []).append(fact)
    found = [_reason(code, said, together, asked) for (code, said), together in alike.items()]
    order = {code: at for at, code in enumerate(RISKS)}
    return tuple(sorted(found, key=lambda reason: (-reason.level.rank, order[reason.code], reason.text)))


def about(facts: Iterable[Fact], topic: Topic) -> tuple[str, ...]:
    """The sentences of one topic, the worst first."""
    found = {str(fact): Level(RISKS[fact.code].level).rank for fact in facts if RISKS[fact.code].topic == topic}
    return tuple(sorted(found, key=lambda sentence: (-found[sentence], sentence)))


def listed(names: Iterable[str], most: int = _NAMED) -> str:
    """`a`, `a and b`, `a, b and c`; of many the first few, and how many more."""
    found = sorted(set(names))
    if len(found) > most:
        found = [*found[: most - 1], f"{len(found) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else ""


def _reason(code: str, said: str, together: list[Fact], asked: Callable[[str, str], str]) -> Reason:
    level = RISKS[code].level
    answer = asked(code, level)
    urns = dict.fromkeys(urn for fact in together for urn in fact.urns)
    subjects = {fact.subject for fact in together}
    sentence = f"{listed(subjects)}: each {said}" if len(subjects) > 1 else f"{listed(subjects)} {said}"
    return Reason(Level(level), code, sentence, tuple(urns), approval=answer == "approve", refused=answer == "refuse")
