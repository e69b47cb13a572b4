"""Which rollouts, in which order: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from components.workload.spec import Strategy

Back = Literal["rollback", "abort"]

EVERY_CHANGE: Final[tuple[Strategy, ...]] = (
    "rolling", "blue-green", "canary", "rolling", "canary", "blue-green", "rolling",
)  # fmt: skip
"""The shortest walk that takes every change from one strategy to another."""
EVERY_PAIR: Final[tuple[Strategy, ...]] = (
    "rolling", "rolling", "blue-green", "blue-green", "canary", "canary", "rolling", "canary", "blue-green",
)  # fmt: skip
"""The shortest cycle that also takes every strategy twice in a row."""


@dataclass(frozen=True)
class Round:
    """One rollout of the newer version with `strategy`, and the way back from it."""

    number: int
    strategy: Strategy
    back: Back

    def __str__(self) -> str:
        return f"round {self.number}: {self.strategy}, {self.back}"


def short() -> list[Round]:
    """Every change between strategies once."""
    return _rounds(EVERY_CHANGE)


def whole(count: int) -> list[Round]:
    """`count` rounds, with every pair of strategies after each other as soon as there are ten."""
    cycles = -(-count // len(EVERY_PAIR))
    return _rounds((EVERY_PAIR * cycles)[:count])


def changes(rounds: Sequence[Round]) -> set[tuple[Strategy, Strategy]]:
    """Which strategy came after which other one."""
    return {(one.strategy, other.strategy) for one, other in pairwise(rounds) if one.strategy != other.strategy}


def _rounds(strategies: Sequence[Strategy]) -> list[Round]:
    """Every second canary is aborted on its way; all others arrive and are rolled back."""
    canaries = [at for at, strategy in enumerate(strategies) if strategy == "canary"]
    aborted = set(canaries[1::2])
    return [Round(at + 1, strategy, "abort" if at in aborted else "rollback") for at, strategy in enumerate(strategies)]
