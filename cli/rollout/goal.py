"""Where a rollback goes and what it does on the way: everything that is known before anything is touched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.rollout import contents, plan, turns
from cli.rollout.book import Release
from cli.rollout.control import Manifest
from cli.rollout.opened import Rollout
from cli.rollout.pins import Blame, Pin
from cli.rollout.plan import Action
from cli.rollout.records import Record, Step
from cli.rollout.turns import Turn
from components.manifest import lasting


@dataclass(frozen=True)
class Rollback:
    """Everything that going back to `target` does.

    `record`: its objects as they are to be, on the track that each service gets back to; `kept`: the record of the
    release that this makes; `only`: these services, empty for all. `gone`: what the record needs and the cluster no
    longer has. `half_done`: the target never was left. `stays_open`: only some services of an open change go back, and
    it is not over. `bad`: what makes the release bad that is left; `left`: its number, or the next one where it has
    none yet. `rotated`: secrets that come back older. `crossed`: migrations that cannot be undone. `pinned`: what of
    the target is pinned out itself. `unled`: Services that are gone and of which the record, being too old, knows
    nothing.
    """

    environment: str
    current: Release | None
    target: Release
    record: Record
    kept: Record
    actions: tuple[Action, ...] = ()
    turns: Mapping[str, Turn] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    half_done: bool = False
    stays_open: bool = False
    left: int = 0
    rollout: Rollout | None = None
    bad: tuple[Blame, ...] = ()
    rotated: tuple[str, ...] = ()
    crossed: tuple[str, ...] = ()
    pinned: tuple[tuple[Pin, str], ...] = ()
    unled: tuple[str, ...] = ()
    pieces: tuple[Manifest, ...] = ()
    """Of the kept record, where it is a new one."""

    @property
    def moving(self) -> tuple[Turn, ...]:
        """Services whose tracks change places, or whose rollout ends."""
        return tuple(turn for turn in self.turns.values() if turn.moves)

    @property
    def levels(self) -> list[tuple[str, ...]]:
        """The workloads that something happens to, callers before those that they call."""
        calls = {workload.name: workload.calls for workload in self.record.workloads}
        names = {turn.service for turn in self.moving} | {contents.workload(one.manifest) for one in self.restored}
        return turns.ordered(names, calls)

    @property
    def restored(self) -> tuple[Action, ...]:
        """What is done to workloads of the target."""
        return tuple(
            one for one in self.actions if one.manifest["kind"] in plan.WORKLOADS and one.verb in ("create", "apply")
        )

    @property
    def nothing(self) -> bool:
        """Whether the cluster is as it is to be already."""
        return not self.actions and not self.moving

    @property
    def detour(self) -> bool:
        """Whether a rollout is open that has to be taken back first: its release is not where this goes."""
        return self.rollout is not None and self.rollout.record not in ("", self.target.record)

    def is_warm(self, service: str) -> bool:
        """Whether the service is back as soon as its traffic is."""
        turn = self.turns.get(service)
        return turn is not None and turn.warm

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "from": self.current.number if self.current else None,
            "to": self.target.number,
            "services": list(self.only),
            "half_done": self.half_done,
            "rollout": self.rollout.id if self.rollout else None,
            "tracks": [turn.to_json() for turn in self.moving],
            "actions": [action.to_json() for action in self.actions],
            "pins": [str(blame) for blame in self.bad],
            "gone": list(self.gone),
            "rotated": list(self.rotated),
            "irreversible": list(self.crossed),
            "pinned": [str(pin) for pin, _ in self.pinned],
            "unled": list(self.unled),
        }


def rotated(wanted: Record, running: Record | None) -> tuple[str, ...]:
    """Secrets that both releases mount under one name and with other content: the older one comes back."""
    if running is None:
        return ()
    now = {_lasting(place): place for place in plan.references(running.objects) if place[0] == "Secret"}
    then = {_lasting(place): place for place in plan.references(wanted.objects) if place[0] == "Secret"}
    return tuple(
        f"{lasting[2]} ({then[lasting][2]} comes back for {now[lasting][2]})"
        for lasting in sorted(now.keys() & then.keys())
        if now[lasting] != then[lasting]
    )


def crossed(
    target: Release, rows: Iterable[Release], records: Mapping[str, Record], rollout: Rollout | None = None
) -> tuple[str, ...]:
    """Steps that ran since the target and cannot be undone. `rows`: every kept release, oldest first; `rollout`: the
    one that is open."""
    found, before = [], records.get(target.record)
    for row in rows:
        record = records.get(row.record)
        if row.number <= target.number or row.kind == "rollback" or record is None:
            continue
        found += [f"{step.name} of release {row.number}" for step in _new_steps(record, before) if not step.reversible]
        before = record
    return tuple(dict.fromkeys([*found, *unfinished(rollout, records.values())]))


def unfinished(rollout: Rollout | None, known: Iterable[Record]) -> list[str]:
    """Those that an open rollout began; less what belongs to a release that is known."""
    runs = {step.run for record in known for step in record.steps}
    begun = rollout.irreversible if rollout else ()
    return [f"{job['name']} of the unfinished rollout" for job in begun if job["run"] not in runs]


def lasts(step: str) -> str:
    """What to tell of a step that is crossed."""
    return f"{step} cannot be undone: the release that comes back must live with what it did"


def unreached(service: str) -> str:
    """What to tell of a Service that does not come back."""
    return f"{service} is gone and stays so, the record is too old to hold it: only turnout up brings it back"


def within(manifest_of: str, only: Collection[str]) -> bool:
    """Whether a workload is one of those that the rollback is about."""
    return not only or manifest_of in only


def _new_steps(record: Record, before: Record | None) -> list[Step]:
    """Those that ran for this release, and not for the one before it already."""
    known = {step.run for step in before.steps if step.run} if before else set()
    return [step for step in record.steps if step.run not in known]


def _lasting(place: plan.Key) -> plan.Key:
    kind, namespace, name = place
    return kind, namespace, lasting(name)
