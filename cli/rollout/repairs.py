"""What a killed run left behind in an environment, and settling it: locks, pending operations, a rollback's debt.

`survey` looks and changes nothing, `items` says what was found and what settles it, `carry_out` does that.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cli.engine import environ, failures, locks, mended, readback, repair, settle
from cli.engine.repair import Action, Finding, Operation
from cli.errors import TurnoutError, UsageError
from cli.rollout import debts, lock, releases
from cli.rollout.book import Debt

if TYPE_CHECKING:
    from cli.engine.locks import Lock
    from cli.engine.run import Engine
    from cli.kube.client import Kube
    from cli.progress import Progress
    from cli.rollout.lease import Holder

JSON = dict[str, Any]
Kind = Literal["state lock", "environment lock", "operation", "state", "debt"]

_ENDING = 8.0
"""Seconds that an engine whose driver was killed is given to end by itself."""
_LOOK_AGAIN = 0.3


@dataclass(frozen=True)
class Item:
    """One thing that was found. `action` settles it; empty: only a person can, by `next`."""

    kind: Kind
    what: str
    found: str
    action: str
    next: str = ""

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "what": self.what, "found": self.found, "action": self.action, "next": self.next}


@dataclass(frozen=True)
class Survey:
    """Everything that was looked at. `unreachable`: why the environment's cluster could not be asked."""

    environment: str
    dead_locks: tuple[Lock, ...] = ()
    dead_holder: Holder | None = None
    state: JSON | None = None
    operations: tuple[Operation, ...] = ()
    findings: tuple[Finding, ...] = ()
    damage: tuple[str, ...] = ()
    debt: Debt | None = None
    unreachable: str = ""


@dataclass(frozen=True)
class Done:
    """How repairing ended: what was settled and what was not, each with its reason and next command."""

    settled: tuple[Item, ...] = ()
    left: tuple[Item, ...] = field(default=())


def survey(engine: Engine, kube: Kube | None, *, wait: float, holder: Holder | None, unreachable: str = "") -> Survey:
    """Look at everything. Call it under the environment's lock; `holder`: who left that lock behind.

    Raises StackLocked when somebody works on the state, and what the engine says of a wrong or missing passphrase.
    """
    environment = engine.environment
    dead = tuple(_wait_for_living(engine, wait))
    state, damage = _state(engine)
    operations = tuple(repair.operations(state)) if state and not damage else ()
    return Survey(
        environment,
        dead,
        holder,
        state,
        operations,
        tuple(_judged(engine, state, operations)) if state else (),
        tuple(damage),
        releases.load(kube, environment).debt if kube else None,
        unreachable,
    )


def items(found: Survey) -> list[Item]:
    """What was found, in the order in which it is settled."""
    return list(_items(found))


def carry_out(found: Survey, engine: Engine, kube: Kube | None, progress: Progress) -> Done:
    """Settle what can be settled; one thing that fails does not stop the others."""
    done = _Doing()
    for one, item in zip(found.dead_locks, _lock_items(found), strict=True):
        done.attempt([item], lambda one=one: _remove(one))
    done.settled += _holder_items(found)
    done.left += [*_damage_items(found)]
    _settle_operations(found, engine, done)
    if kube is not None and found.debt is not None:
        done.attempt(
            list(_debt_items(found)), lambda: debts.settle_owed(kube, found.environment, engine.root, progress)
        )
    return Done(tuple(done.settled), tuple(done.left))


class _Doing:
    def __init__(self) -> None:
        self.settled: list[Item] = []
        self.left: list[Item] = []

    def attempt(self, about: list[Item], work: Any) -> bool:
        try:
            work()
        except TurnoutError as error:
            self.left += [_failed(item, error) for item in about]
            return False
        self.settled += about
        return True


def _failed(item: Item, error: TurnoutError) -> Item:
    why = f"{error.what}: {error.why}" if error.why else error.what
    return Item(item.kind, item.what, f"{item.found}; it failed: {why}", "", error.next or "turnout repair ENV")


def _settle_operations(found: Survey, engine: Engine, done: _Doing) -> None:
    about = _operation_items(found)
    able = [item for item in about if item.action]
    done.left += [item for item in about if not item.action]
    if not able or found.state is None:
        return
    new = mended.mended(found.state, found.operations, found.findings)
    if done.attempt(able, lambda: _store(engine, new)):
        _read_back(engine, new, found, done)


def _store(engine: Engine, state: JSON) -> None:
    if not state["deployment"].get("pending_operations"):
        engine.import_state(state)
        return
    raise UsageError(
        "operations that only you can settle stand in the way",
        why="the state's other operations can be settled only together with them",
        next="see to those first, by the commands named with them",
    )


def _read_back(engine: Engine, state: JSON, found: Survey, done: _Doing) -> None:
    urns = mended.to_read(state, found.findings)
    if not urns:
        return
    item = Item("state", f"{len(urns)} resources", "they are to be read back from the cluster", "")
    try:
        outcome = engine.refresh(urns, message="turnout repair")
    except TurnoutError as error:
        done.left.append(_failed(item, error))
        return
    if not outcome.ok:
        why = "; ".join(failure.message.splitlines()[0] for failure in outcome.failures) or "the engine failed"
        done.left.append(
            Item(item.kind, item.what, f"reading back failed: {why}", "", f"turnout refresh {found.environment}")
        )


def _items(found: Survey) -> Iterator[Item]:
    yield from _lock_items(found)
    yield from _holder_items(found)
    yield from _damage_items(found)
    yield from _operation_items(found)
    yield from _debt_items(found)


def _lock_items(found: Survey) -> list[Item]:
    return [
        Item("state lock", f"the lock on the state of {one.who}", "nobody holds it any more", "remove it")
        for one in found.dead_locks
    ]


def _holder_items(found: Survey) -> list[Item]:
    owner = found.dead_holder
    if owner is None:
        return []
    what = f"the environment's lock of {owner.who} on {owner.host}, process {owner.pid}: {owner.command}"
    return [Item("environment lock", what, "that process is gone", "take it over and leave it")]


def _damage_items(found: Survey) -> list[Item]:
    next_command = f"turnout state restore {found.environment}"
    return [Item("state", "the state", problem, "", next_command) for problem in found.damage]


def _operation_items(found: Survey) -> list[Item]:
    return [
        Item("operation", one.pending.line(), one.found, one.action.value if one.action else "", one.next)
        for one in found.findings
    ]


def _debt_items(found: Survey) -> Iterator[Item]:
    if found.debt is not None:
        what = f"the rollback to release {found.debt.number}"
        yield Item("debt", what, "the Pulumi state does not know of it yet", "bring the state to that release")


def _wait_for_living(engine: Engine, wait: float) -> list[Lock]:
    """The dead locks on the state, once no living process holds one."""
    until = time.monotonic() + max(wait, _ENDING)
    while True:
        held = locks.found(engine.root, engine.environment, dict(os.environ))
        living = [one for one in held if not one.dead]
        if not living:
            return held
        if time.monotonic() >= until:
            raise failures.locked(engine.environment, living)
        time.sleep(_LOOK_AGAIN)


def _remove(one: Lock) -> None:
    if one.dead:
        locks.remove(one)


def _state(engine: Engine) -> tuple[JSON | None, list[str]]:
    """The exported state, and what is wrong with it."""
    from cli.engine.store.verify import verify

    try:
        state = engine.export_state()
    except failures.StackMissing:
        return None, []
    except (failures.StateUnreadable, failures.EngineFailed) as error:
        return None, [f"{error.what}: {error.why}"]
    return state, [str(problem) for problem in verify(state.get("deployment") or {}) if problem.fatal]


def _judged(engine: Engine, state: JSON, operations: tuple[Operation, ...]) -> Iterator[Finding]:
    if not operations:
        return
    earlier = list(_earlier(engine))
    for operation, seen in zip(operations, readback.look(state, operations), strict=True):
        began = repair.began_after(operation.pending.urn, earlier)
        yield repair.judge(operation, seen, engine.environment, began)


def _earlier(engine: Engine) -> Iterator[JSON]:
    """The state after earlier runs, newest first, where the backend is a folder."""
    project = environ.project_name(engine.root)
    stack = environ.stack_file(engine.root, dict(os.environ), project, engine.environment)
    if stack is not None:
        with suppress(OSError):
            yield from settle.checkpoints(stack.parents[2] / "history" / project / engine.environment)


def dead_holder(kube: Kube, environment: str) -> Holder | None:
    """Who left the environment's lock behind; None when nobody did."""
    return lock.current(kube, environment) if lock.dead(kube, environment) else None


def summary(done: Done) -> str:
    """For the audit trail: `3 settled, 1 left`."""
    return f"{len(done.settled)} settled, {len(done.left)} left"


__all__ = ["Action", "Done", "Item", "Survey", "carry_out", "dead_holder", "items", "summary", "survey"]
