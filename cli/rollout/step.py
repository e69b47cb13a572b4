"""One step of a rollout, and what it moves: plain data that survives the process that made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from components.tracks import Letter, other

Strategy = Literal["rolling", "blue-green", "canary"]
Does = Literal[
    "describe",  # the cursor: the settings speak of the new track, under a new epoch
    "bring",  # the engine applies these services; all others are held
    "scale",  # copies of both tracks
    "ready",  # wait until all of them are ready
    "try",  # ask the new track by its own entry
    "approve",  # wait for a person
    "route",  # selector or weights
    "watch",  # soak, with gates
    "serve",  # the cursor: the new track is the one that serves
    "warm",  # the old track stays as it is for a while
    "cool",  # the old track goes to no copies
    "record",  # the engine applies everything, and the release gets its number
]
"""What a step does."""

Copies = Mapping[Letter, int]
"""Track to number: of copies, or of weight."""


@dataclass(frozen=True)
class Target:
    """One service that the rollout moves, and how its settings want it moved.

    `old`: the track that serves at the beginning; `two`: it had two tracks by then. `template`: the hash of the pod
    template to come. `copies` serve at the beginning, `wanted` at the end; with an autoscaler `bounds` are its least
    and most. `shares` in percent; `soak` and `warm` in seconds. `weighted`: by its HTTPRoute. `preview`: the path that
    a new track is asked for before it gets traffic.
    """

    service: str
    strategy: Strategy = "rolling"
    old: Letter = "a"
    two: bool = False
    template: str = ""
    copies: int = 1
    wanted: int = 1
    bounds: tuple[int, ...] = ()
    shares: tuple[int, ...] = ()
    soak: float = 0.0
    warm: float = 0.0
    weighted: bool = False
    preview: str = ""

    @property
    def new(self) -> Letter:
        """Rolling replaces the pods of the track that serves; every other strategy goes to the other one."""
        return self.old if self.strategy == "rolling" else other(self.old)

    @property
    def keyed(self) -> bool:
        """Whether it has two tracks by now, of which the cursor tells."""
        return self.two or self.strategy != "rolling"

    def to_json(self) -> dict[str, Any]:
        return _shown(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        return cls(**_known(cls, row))


@dataclass(frozen=True)
class Step:
    """One state to reach; doing it again when it is reached changes nothing.

    `share`: percent of new requests that the new tracks get from here on, as wished; `copies` and `weights` say what
    that comes to for each service. `seconds`: how long a watch or a warm track lasts. `stage` counts from 0.
    """

    does: Does
    services: tuple[str, ...] = ()
    stage: int = 0
    share: int = 0
    copies: Mapping[str, Copies] = field(default_factory=dict)
    weights: Mapping[str, Copies] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return _shown(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        return cls(**_known(cls, row))


def _shown(made: Target | Step) -> dict[str, Any]:
    """Only what is said: a rollout of hundreds of services still fits one object."""
    return {name: value for name, value in vars(made).items() if value}


def _known(made: type, row: Mapping[str, Any]) -> dict[str, Any]:
    found = {each.name: row[each.name] for each in fields(made) if each.name in row}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
