"""Which process is killed when, chosen from a seed: pure."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from tests.soak.desired import Shape

T = TypeVar("T")


class Victim(StrEnum):
    ENGINE = "engine"
    PROVIDER = "provider"
    TURNOUT = "turnout"


class Operation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    MIXED = "mixed"
    DESTROY = "destroy"


class Phase(StrEnum):
    """What a moment is counted in."""

    TIME = "time"
    """A share of the seconds that the operation takes when nobody kills anything."""
    WRITE = "write"
    """A write to the API server that it has not seen yet."""
    ANSWER = "answer"
    """A write that the API server has accepted, but whose answer nobody has seen."""
    FILE = "file"
    """A change in the folder of the state."""


class Next(StrEnum):
    """What is asked for after the kill."""

    AGAIN = "again"
    BACK = "back"


@dataclass(frozen=True)
class Measured:
    """What an operation takes when nobody kills anything."""

    seconds: float
    writes: int
    files: int

    def of(self, phase: Phase) -> float:
        return {Phase.TIME: self.seconds, Phase.FILE: self.files}.get(phase, self.writes)


@dataclass(frozen=True)
class Kill:
    """`fraction` of the whole operation, in [0, 1). `at_once`: the next command does not wait for what is left over.
    `twice`: the repair is killed too, at that fraction of a second or two; 0: it is not."""

    victim: Victim
    phase: Phase
    fraction: float
    at_once: bool = False
    next: Next = Next.AGAIN
    twice: float = 0.0

    def count(self, measured: Measured) -> int:
        """The number of the event, from 1, at which it happens."""
        return 1 + math.floor(self.fraction * max(1, measured.of(self.phase)))


@dataclass(frozen=True)
class Cycle:
    """One operation and the kill in it."""

    operation: Operation
    before: Shape
    after: Shape
    kill: Kill

    @property
    def goal(self) -> Shape:
        """What is asked for once more after the kill."""
        return self.after if self.kill.next is Next.AGAIN else self.before


class Chooser:
    """Chooses cycles from a seed, each kind about as often as any other."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._operations: Counter[Operation] = Counter()
        self._victims: Counter[Victim] = Counter()
        self._phases: Counter[Phase] = Counter()

    def choose(self, shape: Shape) -> Cycle:
        """What to do next with an environment of that shape."""
        operation = self._rarest(possible(shape), self._operations)
        return Cycle(operation, shape, changed(shape, operation), self._kill())

    def _kill(self) -> Kill:
        fate = self._random
        return Kill(
            victim=self._rarest(list(Victim), self._victims),
            phase=self._rarest(list(Phase), self._phases),
            fraction=fate.random(),
            at_once=fate.random() < 0.5,
            next=Next.BACK if fate.random() < 0.25 else Next.AGAIN,
            twice=fate.random() if fate.random() < 0.15 else 0.0,
        )

    def _rarest(self, among: Sequence[T], counts: Counter[T]) -> T:
        """One that was not chosen more than once oftener than any other."""
        fewest = min(counts[entry] for entry in among)
        chosen = self._random.choice([entry for entry in among if counts[entry] <= fewest + 1])
        counts[chosen] += 1
        return chosen


def possible(shape: Shape) -> list[Operation]:
    """What can be done to an environment of that shape."""
    if not shape.deployed:
        return [Operation.CREATE]
    either = Operation.DELETE if shape.extras else Operation.CREATE
    return [either, Operation.UPDATE, Operation.REPLACE, Operation.MIXED, Operation.DESTROY]


def changed(shape: Shape, operation: Operation) -> Shape:
    """The shape after the operation."""
    match operation:
        case Operation.CREATE:
            return replace(shape, deployed=True, extras=shape.deployed)
        case Operation.UPDATE:
            return replace(shape, revision=shape.revision + 1)
        case Operation.REPLACE:
            return replace(shape, content=shape.content + 1)
        case Operation.DELETE:
            return replace(shape, extras=False)
        case Operation.MIXED:
            return replace(shape, revision=shape.revision + 1, content=shape.content + 1, extras=not shape.extras)
        case Operation.DESTROY:
            return replace(shape, deployed=False, extras=False)
