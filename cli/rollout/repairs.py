"""What a killed run left behind in an environment, and settling it: locks, pending operations, a rollback's debt.

`survey` looks and changes nothing, `items` says what was found and what settles it, `carry_out` does that.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cli.engine import environ, failures, mended, readback, repair, snapshot
from cli.engine.repair import Action, Finding, Operation
from cli.engine.snapshot import Snapshot
from cli.errors import TurnoutError
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
_UNFINISHED = 65.0
"""Seconds after which a lock file that was never written whole counts as a left one, and some."""
_GOING = 60.0
"""Seconds that an object that is being deleted is waited for."""
_LOOK_AGAIN = 0.3
_SHOWN = 4


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
    """Everything that was looked at. `unreachable`: why the environment's cluster could not be asked.

    `copy`: the newest whole backup, of a state that is damaged.
    """

    environment: str
    left_locks: tuple[Lock, ...] = ()
    dead_holder: Holder | None = None
    snapshot: Snapshot = field(default_factory=lambda: Snapshot({}))
    operations: tuple[Operation, ...] = ()
    findings: tuple[Finding, ...] = ()
    copy: str = ""
    sidecar: Path | None = None
    debt: Debt | None = None
    unreachable: str = ""


@dataclass(frozen=True)
class Done:
    """How repairing ended: what was settled and what was not, each with its reason and next command."""

    settled: tuple[Item, ...] = ()
    left: tuple[Item, ...] = field(default=())


def survey(
    engine: Engine,
    kube: Kube | None,
    *,
    wait: float,
    unlock: bool = False,
    holder: Holder | None = None,
    unreachable: str = "",
) -> Survey:
    """Look at everything. Call it under the environment's lock; `holder`: who left that lock behind.

    `wait`: seconds to wait for somebody who works on the state; `unlock`: a lock of another machine is a left one.

    Raises StackLocked when somebody works on the state, and what the engine says of a wrong or missing passphrase.
    """
    left = tuple(_wait_for_living(engine, wait, unlock=unlock))
    state = snapshot.read(engine)
    operations = tuple(repair.operations(state.state)) if state.state and not state.damage else ()
    return Survey(
        engine.environment,
        left,
        holder,
        state,
        operations,
        tuple(_judged(engine, state, operations)),
        snapshot.newest_copy(state) if state.damage else "",
        snapshot.damaged_sidecar(engine),
        releases.load(kube, engine.environment).debt if kube else None,
        unreachable,
    )


def items(found: Survey) -> list[Item]:
    """What was found, in the order in which it is settled."""
    return list(_items(found))


def carry_out(found: Survey, engine: Engine, kube: Kube | None, progress: Progress) -> Done:
    """Settle what can be settled; one thing that fails does not stop the others."""
    done = _Doing(found.environment)
    for one, item in zip(found.left_locks, _lock_items(found), strict=True):
        done.attempt([item], partial(snapshot.unlock, engine, one))
    done.settled += _holder_items(found)
    if found.sidecar:
        done.attempt(_sidecar_items(found), partial(found.sidecar.unlink, missing_ok=True))
    done.left += [*_damage_items(found)]
    _settle_operations(found, engine, progress, done)
    if kube is not None and found.debt is not None:
        done.attempt(
            list(_debt_items(found)), lambda: debts.settle_owed(kube, found.environment, engine.root, progress)
        )
    return Done(tuple(done.settled), tuple(done.left))


class _Doing:
    """What was done so far."""

    def __init__(self, environment: str) -> None:
        self._again = f"turnout repair {environment}"
        self.settled: list[Item] = []
        self.left: list[Item] = []

    def attempt(self, about: list[Item], work: Any) -> bool:
        try:
            work()
        except TurnoutError as error:
            self.left += [self.failed(item, error) for item in about]
            return False
        self.settled += about
        return True

    def failed(self, item: Item, error: TurnoutError) -> Item:
        why = f"{error.what}: {error.why}" if error.why else error.what
        return Item(item.kind, item.what, f"{item.found}; it failed: {why}", "", error.next or self._again)


def _settle_operations(found: Survey, engine: Engine, progress: Progress, done: _Doing) -> None:
    found = _without_going(found, engine, progress)
    about = _operation_items(found)
    able = [item for item in about if item.action]
    done.left += [item for item in about if not item.action]
    if not able:
        return
    new = mended.mended(found.snapshot.state, found.operations, found.findings)
    if done.attempt(able, lambda: snapshot.write(engine, found.snapshot, new)):
        _read_back(engine, new, found, done)


def _without_going(found: Survey, engine: Engine, progress: Progress) -> Survey:
    """What is being deleted is waited for and looked at again."""
    going = [one for one in found.findings if one.action is Action.AWAIT]
    if not going:
        return found
    until = time.monotonic() + _GOING
    with progress.step(f"waiting for {len(going)} objects to be gone") as step:
        while time.monotonic() < until:
            findings = tuple(_judged(engine, found.snapshot, found.operations))
            going = [one for one in findings if one.action is Action.AWAIT]
            if not going:
                return replace(found, findings=findings)
            step.update("; ".join(f"{one.id}: {one.found}" for one in going[:_SHOWN]))
            time.sleep(1)
    return replace(found, findings=tuple(_judged(engine, found.snapshot, found.operations, waited=True)))


def _read_back(engine: Engine, state: JSON, found: Survey, done: _Doing) -> None:
    """Not beside operations that stay: the engine would drop them, all but the creates."""
    urns = mended.to_read(state, found.findings)
    stays = {row["type"] for row in state["deployment"].get("pending_operations") or []}
    if not urns or stays - {"creating"}:
        return
    item = Item("state", f"{len(urns)} resources", "they are to be read back from the cluster", "")
    try:
        outcome = engine.refresh(urns, message="turnout repair")
    except TurnoutError as error:
        done.left.append(done.failed(item, error))
        return
    if not outcome.ok:
        why = "; ".join(failure.message.splitlines()[0] for failure in outcome.failures) or "the engine failed"
        done.left.append(
            Item(item.kind, item.what, f"reading back failed: {why}", "", f"turnout refresh {found.environment}")
        )


def _items(found: Survey) -> Iterator[Item]:
    yield from _lock_items(found)
    yield from _holder_items(found)
    yield from _sidecar_items(found)
    yield from _damage_items(found)
    yield from _operation_items(found)
    yield from _debt_items(found)


def _lock_items(found: Survey) -> list[Item]:
    return [
        Item("state lock", f"a lock on the state, of {one.who}", _why_left(one), "remove it")
        for one in found.left_locks
    ]


def _why_left(one: Lock) -> str:
    return "nobody holds it any more" if one.dead else "you say that its process is gone (--unlock)"


def _holder_items(found: Survey) -> list[Item]:
    owner = found.dead_holder
    if owner is None:
        return []
    what = f"the environment's lock of {owner.who} on {owner.host}, process {owner.pid}: {owner.command}"
    return [Item("environment lock", what, "that process is gone", "take it over and leave it")]


def _sidecar_items(found: Survey) -> list[Item]:
    if found.sidecar is None:
        return []
    what = "it was cut short, and plain pulumi does not read a state with such a file beside it"
    return [Item("state", str(found.sidecar), what, "remove it: nothing in it is needed")]


def _damage_items(found: Survey) -> list[Item]:
    if not found.snapshot.damage:
        return []
    why = "; ".join(found.snapshot.damage[:_SHOWN])
    if not found.copy:
        return [Item("state", "the state is damaged", why, "", f"turnout state list {found.environment}")]
    restore = f"turnout state restore {found.environment}   ({found.copy})"
    return [Item("state", "the state is damaged", why, "", restore)]


def _operation_items(found: Survey) -> list[Item]:
    return [
        Item("operation", one.pending.line(), one.found, one.action.value if one.action else "", one.next)
        for one in found.findings
    ]


def _debt_items(found: Survey) -> Iterator[Item]:
    if found.debt is not None:
        what = f"the rollback to release {found.debt.number}"
        yield Item("debt", what, "the Pulumi state does not know of it yet", "bring the state to that release")


def _wait_for_living(engine: Engine, wait: float, *, unlock: bool) -> list[Lock]:
    """The locks on the state that were left behind, once nobody else holds one."""
    with ExitStack() as stack:
        return _waited_for(engine, wait, unlock, stack)


def _waited_for(engine: Engine, wait: float, unlock: bool, stack: ExitStack) -> list[Lock]:
    began, step = time.monotonic(), None
    while True:
        held = snapshot.locks_on(engine)
        living = [one for one in held if not _is_left(one, unlock=unlock)]
        if not living:
            return held
        if time.monotonic() - began >= max(wait, *map(_patience, living)):
            raise _living(engine.environment, living)
        step = step or stack.enter_context(engine.progress.step("waiting for the lock on the state"))
        step.update("; ".join(one.who for one in living))
        time.sleep(_LOOK_AGAIN)


def _patience(one: Lock) -> float:
    """How long a lock may take to turn out to be a left one."""
    if one.damage:
        return _UNFINISHED
    return _ENDING if _is_of_this_machine(one) else 0


def _living(environment: str, living: list[Lock]) -> failures.StackLocked:
    error = failures.locked(environment, living)
    if not any(map(_is_of_this_machine, living)):
        error.next = f"when that process is certainly gone: turnout repair {environment} --unlock"
    return error


def _is_left(one: Lock, *, unlock: bool) -> bool:
    return one.dead or (unlock and not _is_of_this_machine(one))


def _is_of_this_machine(one: Lock) -> bool:
    return one.host == socket.gethostname()


def _judged(
    engine: Engine, state: Snapshot, operations: tuple[Operation, ...], *, waited: bool = False
) -> Iterator[Finding]:
    if not operations:
        return
    earlier = list(snapshot.earlier(state))
    variables = environ.variables(engine.root, dict(os.environ))
    looked = readback.look(state.state, operations, engine.root, variables)
    for operation, seen in zip(operations, looked, strict=True):
        began = repair.began_after(operation.pending.urn, earlier)
        yield repair.judge(operation, seen, engine.environment, began, waited=waited)


def dead_holder(kube: Kube, environment: str) -> Holder | None:
    """Who left the environment's lock behind; None when nobody did."""
    return lock.current(kube, environment) if lock.dead(kube, environment) else None


def summary(done: Done) -> str:
    """For the audit trail: `3 settled, 1 left`."""
    return f"{len(done.settled)} settled, {len(done.left)} left"
