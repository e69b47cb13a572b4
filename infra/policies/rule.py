"""What a policy is: one rule with its reason, its remedy, and how much it weighs in each tier. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from infra.policies.world import Thing, World

Level = Literal["disabled", "advisory", "mandatory"]
LEVELS: Final[tuple[Level, ...]] = ("disabled", "advisory", "mandatory")
"""Least first: `advisory` is told, `mandatory` refuses an apply."""
Framework = Literal[
    "Pod Security Standards", "NSA/CISA Kubernetes Hardening Guide 1.2", "CIS Kubernetes Benchmark 1.10"
]


@dataclass(frozen=True)
class Supports:
    """A control that the rule helps to keep. No rule makes anybody compliant: a framework asks for much more."""

    framework: Framework
    control: str

    def __str__(self) -> str:
        return f"{self.framework}: {self.control}"


@dataclass(frozen=True)
class Levels:
    """How much a rule weighs, by tier."""

    dev: Level
    staging: Level
    prod: Level

    def of(self, tier: str) -> Level:
        found: Level = getattr(self, tier)
        return found


ALWAYS: Final = Levels("mandatory", "mandatory", "mandatory")
SHARED: Final = Levels("advisory", "mandatory", "mandatory")
"""For what one person's dev may lack for a while, and what others work with may not."""
SERVING: Final = Levels("disabled", "advisory", "mandatory")
SERVED: Final = Levels("disabled", "disabled", "mandatory")
"""For what costs too much where nobody is served."""


@dataclass(frozen=True)
class Fault:
    """How one object breaks a rule. `path`: the property path of the field, empty for the object as a whole."""

    path: str
    message: str


Check = Callable[[Any], Iterator[Fault]]


@dataclass(frozen=True)
class Rule:
    """One policy. `things`: the objects that it speaks of; `faults`: what is wrong with one of them.

    `id` is stable: exceptions and other systems' records name it. `remedy` says what to write instead.
    """

    id: str
    why: str
    remedy: str
    levels: Levels
    supports: tuple[Supports, ...]
    things: Callable[[World], Iterator[Thing]]
    faults: Check


Some = TypeVar("Some", bound=Thing)


def rule(
    id: str,
    things: Callable[[World], Iterator[Some]],
    *,
    why: str,
    remedy: str,
    levels: Levels,
    supports: tuple[Supports, ...] = (),
) -> Callable[[Callable[[Some], Iterator[Fault]]], Rule]:
    """Makes a rule of a check."""

    def made(check: Callable[[Some], Iterator[Fault]]) -> Rule:
        return Rule(id, why, remedy, levels, supports, things, check)

    return made


def pss(control: str) -> Supports:
    """A control of the Pod Security Standards (kubernetes.io, "Pod Security Standards")."""
    return Supports("Pod Security Standards", control)


def nsa(section: str) -> Supports:
    """A section of the NSA's and CISA's Kubernetes Hardening Guide, version 1.2 of August 2022."""
    return Supports("NSA/CISA Kubernetes Hardening Guide 1.2", section)


def cis(number: str) -> Supports:
    """A recommendation of the CIS Kubernetes Benchmark, version 1.10."""
    return Supports("CIS Kubernetes Benchmark 1.10", number)
