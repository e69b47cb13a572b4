"""Where an environment stands, as one typed model: who serves how much on which release, and what goes on around it.

Pure. `survey` fills it in from the cluster, `panel` draws it, `to_json` is what `--json` prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from cli.rollout import opened, wording
from cli.rollout.cursor import Cursor, Place
from cli.rollout.opened import Rollout
from cli.rollout.pins import Pin
from cli.rollout.status import Status, WorkloadStatus

if TYPE_CHECKING:
    from cli.rollout.freeze import Window

Split = Literal["none", "selector", "replicas", "weights"]
"""What divides a service's requests between its tracks; `none`: nothing is asked of it by name (a worker)."""

Role = Literal["serves", "candidate", "warm", "cold", "runs"]
"""`warm`: ready and without requests; `cold`: no pod; `runs`: a worker."""


@dataclass(frozen=True)
class Track:
    """One running copy of a service. `share`: 0 to 1 of its new connections.

    `frozen`: the settings describe the other one.
    """

    letter: str
    role: Role
    share: float
    frozen: bool
    workload: WorkloadStatus

    def to_json(self) -> dict[str, Any]:
        one = self.workload
        return {
            "track": self.letter,
            "role": self.role,
            "share": round(self.share, 4),
            "frozen": self.frozen,
            "warm_until": one.warm_until,
            "ready": one.ready,
            "desired": one.desired,
            "versions": list(one.versions),
            "serving": dict(one.serving),
            "healthy": one.healthy,
            "reason": one.reason,
            "causes": list(one.causes),
            "restarts": one.restarts,
            "object": f"{one.namespace}/{one.object}",
        }


@dataclass(frozen=True)
class Service:
    """A service or worker of the app with its tracks, the serving one first."""

    name: str
    split: Split
    tracks: tuple[Track, ...]
    epoch: int = 0

    @property
    def healthy(self) -> bool:
        return all(track.workload.healthy for track in self.tracks)

    @property
    def moves(self) -> bool:
        """Whether two tracks have pods, or one track runs two versions."""
        busy = [track for track in self.tracks if track.role != "cold"]
        return len(busy) > 1 or any(len(track.workload.serving) > 1 for track in busy)

    def to_json(self) -> dict[str, Any]:
        tracks = [track.to_json() for track in self.tracks]
        return {"service": self.name, "split": self.split, "epoch": self.epoch, "tracks": tracks}


@dataclass(frozen=True)
class Gate:
    """What one gate said last. `evidence` is the whole answer."""

    service: str
    name: str
    verdict: str
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Standing:
    """An environment at one moment."""

    status: Status
    services: tuple[Service, ...] = ()
    rollout: Rollout | None = None
    pins: tuple[Pin, ...] = ()
    frozen: Window | None = None
    approved: str = ""
    """Who approved the open rollout, once somebody did."""
    dead: bool = False
    """Whether the holder of the lock is certainly gone."""

    @property
    def environment(self) -> str:
        return self.status.environment

    @property
    def under_way(self) -> bool:
        return self.rollout is not None and self.rollout.open

    @property
    def driven(self) -> bool:
        """Whether somebody who is alive works on the environment."""
        return self.status.holder is not None and not self.dead

    @property
    def next(self) -> str:
        """The command that makes most sense now."""
        if self.rollout and self.rollout.open:
            back = opened.goes_back(self.rollout, self.status.book.open)
            return _next_of(self.rollout, self.environment, driven=self.driven, back=back)
        status = self.status if self.driven else replace(self.status, holder=None)
        return status.next

    def to_json(self) -> dict[str, Any]:
        return self.status.to_json() | {
            "services": [service.to_json() for service in self.services],
            "rollout": _rollout_json(self.rollout, self.approved) if self.rollout else None,
            "pins": [pin.to_json() for pin in self.pins],
            "frozen": _frozen_json(self.frozen) if self.frozen else None,
            "next": self.next,
        }


def services(
    workloads: Sequence[WorkloadStatus],
    cursor: Cursor,
    selected: Mapping[str, str],
    weights: Mapping[str, Mapping[str, int]],
) -> tuple[Service, ...]:
    """`selected`: service → the letter that its entry selects, empty for all; `weights`: service → letter → weight."""
    names = list(dict.fromkeys(one.name for one in workloads if one.kind == "Deployment"))
    return tuple(
        _service(name, [one for one in workloads if one.name == name], cursor.of(name), selected, weights)
        for name in names
    )


def _service(
    name: str,
    copies: Sequence[WorkloadStatus],
    place: Place,
    selected: Mapping[str, str],
    weights: Mapping[str, Mapping[str, int]],
) -> Service:
    split = _split(name, selected, weights)
    shares = _shares(split, copies, selected.get(name, ""), weights.get(name, {}))
    tracks = [_track(one, shares[one.object], split, place) for one in copies]
    ordered = sorted(tracks, key=lambda track: (track.letter != place.serving, track.letter))
    return Service(name, split, tuple(ordered), place.epoch)


def _split(name: str, selected: Mapping[str, str], weights: Mapping[str, Mapping[str, int]]) -> Split:
    if name in weights:
        return "weights"
    if name not in selected:
        return "none"
    return "selector" if selected[name] else "replicas"


def _shares(
    split: Split, copies: Sequence[WorkloadStatus], letter: str, weights: Mapping[str, int]
) -> dict[str, float]:
    """Object → its share of new connections; of nothing ready nobody has any."""
    parts: Mapping[str, int] = {one.object: one.ready for one in copies}
    if split == "weights":
        parts = {one.object: weights.get(one.track, 0) for one in copies}
    elif split == "selector":
        parts = {one.object: int(one.track == letter and one.ready > 0) for one in copies}
    elif split == "none":
        parts = {}
    whole = sum(parts.values())
    return {one.object: parts.get(one.object, 0) / whole if whole else 0.0 for one in copies}


def _track(one: WorkloadStatus, share: float, split: Split, place: Place) -> Track:
    letter = one.track or "a"
    return Track(letter, _role(one, letter, share, split, place), share, place.two and letter != place.described, one)


def _role(one: WorkloadStatus, letter: str, share: float, split: Split, place: Place) -> Role:
    if one.desired == 0 and one.ready == 0:
        return "cold"
    if split == "none":
        return "runs"
    if letter == place.serving:
        return "serves" if share or not place.two else "warm"
    return "candidate" if share or letter == place.described else "warm"


def _next_of(rollout: Rollout, environment: str, *, driven: bool, back: bool) -> str:
    abort = f"turnout rollout abort {environment}"
    if rollout.status == "failed":
        return f"turnout rollback {environment}: taking it back failed, and can be tried again"
    if back and not driven:
        return f"turnout rollback {environment}: it was being taken back, and nobody is at it any more"
    if back:
        return f"turnout rollout watch {environment}"
    if "approv" in rollout.waits:
        return f"turnout approve {environment} (by somebody other than {rollout.starter}), or {abort}"
    if rollout.status == "paused":
        return f"turnout rollout resume {environment}, or {abort}"
    if not driven:
        return f"turnout rollout resume {environment}: nobody drives it; or back: turnout rollback {environment}"
    return f"turnout rollout watch {environment}; to take it back: {abort}"


def gates(rollout: Rollout) -> tuple[Gate, ...]:
    """What the gates said at the present step, or at the last one that asked any."""
    asked = sorted((int(step), answers) for step, answers in rollout.answers.items() if answers)
    newest = [answers for step, answers in asked if step <= rollout.at][-1:]
    return tuple(_gate(answer) for answers in newest for answer in answers)


def _gate(answer: Mapping[str, Any]) -> Gate:
    shown = {name: str(answer.get(name, "")) for name in ("service", "verdict", "why")}
    return Gate(name=str(answer.get("gate", "")), evidence=answer, **shown)


def _frozen_json(window: Window) -> dict[str, str]:
    return {"from": window.begins.isoformat(), "until": window.ends.isoformat(), "reason": window.reason}


def _rollout_json(rollout: Rollout, approved: str) -> dict[str, Any]:
    return {
        "id": rollout.id,
        "status": rollout.status,
        "open": rollout.open,
        "starter": rollout.starter,
        "host": rollout.host,
        "began": rollout.began,
        "reason": rollout.reason,
        "git": rollout.git,
        "cause": rollout.cause,
        "step": min(rollout.at + 1, len(rollout.course)),
        "steps": [step.to_json() | {"text": wording.said(step)} for step in rollout.course],
        "waits": rollout.waits,
        "approved": approved,
        "gates": [dict(gate.evidence) for gate in gates(rollout)],
        "events": [vars(event) for event in rollout.events],
    }
