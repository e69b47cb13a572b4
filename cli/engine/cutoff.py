"""Operations that were cut off because the provider or the engine ended in the middle of them.

What an engine that was ended had under way is in its state. A lost provider it takes for a failure: it drops the
operation from the state, although what was asked of the cluster may have been done. Its events still tell what that
was; from them it is written down for `turnout repair`.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.engine import failures, pending, values
from cli.engine.events import Done, Event, Failed, Message, Started, State, Step
from cli.engine.model import ABSENT, SECRET
from cli.engine.store import layout
from cli.engine.store import place as places
from cli.errors import TurnoutError

JSON = dict[str, Any]

OPERATIONS = {
    "create": "creating",
    "create-replacement": "creating",
    "update": "updating",
    "delete": "deleting",
    "delete-replaced": "deleting",
}
_LOST = ("error reading from server", "connection refused", "connection reset", "transport is closing", "broken pipe")
"""What gRPC says of a call whose server is gone; the provider's own errors read otherwise."""


class Ledger:
    """Which operations of one run have begun and not ended, as far as its events tell."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Step] = {}
        self._failed: dict[tuple[str, str], Step] = {}
        self._said: dict[str, list[str]] = {}

    def take(self, event: Event) -> None:
        """One more event of the run, in their order."""
        match event:
            case Started(step) if step.operation in OPERATIONS and _is_object(step):
                self._open[step.urn, step.operation] = step
            case Done(step):
                self._open.pop((step.urn, step.operation), None)
            case Failed(step) if begun := self._open.pop((step.urn, step.operation), None):
                self._failed[step.urn, step.operation] = begun
            case Message(severity="error", text=text, urn=urn):
                self._said.setdefault(urn, []).append(text)

    def cut_off(self) -> list[Step]:
        """The operations that nobody answered: open ones, and those that failed by the loss of their provider."""
        lost = [step for step in self._failed.values() if self._was_lost(step.urn)]
        return [*lost, *self._open.values()]

    def _was_lost(self, urn: str) -> bool:
        return any(phrase in text for text in self._said.get(urn, ()) for phrase in _LOST)


def recorded(deployment: Mapping[str, Any], steps: Iterable[Step]) -> JSON:
    """The deployment with these steps among its pending operations. Pure.

    A new object is described by its inputs, without those that are secret: events do not have them.
    """
    new: JSON = copy.deepcopy(dict(deployment))
    entries = new.get("pending_operations") or []
    known = {(entry["type"], entry["resource"]["urn"]) for entry in entries}
    for step in steps:
        operation = OPERATIONS[step.operation]
        resource = _made(step) if operation == "creating" else _held(new, step)
        if resource is not None and (operation, step.urn) not in known:
            entries.append({"resource": resource, "type": operation})
    if entries:
        new["pending_operations"] = entries
    return new


def by_engine(root: Path, environment: str, code: int) -> failures.EngineEnded:
    """The error of an engine that a signal ended, with what its state says about that."""
    try:
        found = pending.of_state(root, environment, dict(os.environ)) or []
    except TurnoutError:
        found = []
    return failures.EngineEnded(
        f"the engine was ended in the middle of its work on {environment}",
        why="\n     ".join([f"signal {-code} ended it", *(entry.line() for entry in found)]),
        next=f"turnout repair {environment}   (reads back from the cluster what was under way)",
    )


def by_provider(root: Path, environment: str, code: int, steps: Sequence[Step]) -> failures.ProviderEnded:
    """Writes the steps down for `turnout repair`; the error that says so. `code`: as `subprocess` counts.

    Only under the environment's lock, after the engine has ended.
    """
    how = f"signal {-code} ended it" if code < 0 else f"it ended with exit code {code}"
    if not steps:
        return failures.ProviderEnded("the kubernetes provider ended too early", why=how, next="run the command again")
    lines = [f"{OPERATIONS[step.operation]} {step.type.rpartition(':')[2]} {_place(step)}" for step in steps]
    read_back = f"turnout repair {environment}   (reads it back from the cluster)"
    by_hand = f"turnout refresh {environment}, and look for the objects that the state does not know"
    return failures.ProviderEnded(
        f"the kubernetes provider ended in the middle of {len(lines)} operation{'s' if len(lines) > 1 else ''}",
        why="\n     ".join([f"{how}; nobody knows yet what became of", *lines]),
        next=read_back if _write(root, environment, steps) else by_hand,
    )


def _write(root: Path, environment: str, steps: Sequence[Step]) -> bool:
    """Record the steps in the state's own file; False where only the engine reaches it, or where it is not whole."""
    where = places.self_managed(root, environment, os.environ)
    if where is None:
        return False
    try:
        key, data = where.read_current()
        found = where.examine(data, secrets=False)
        if not found.deployment:
            return False
        whole = replace(found, deployment=recorded(found.deployment, steps))
        where.bucket.write(key, whole.encoded(where.stack, layout.compression(key)))
    except TurnoutError:
        return False
    return True


def _is_object(step: Step) -> bool:
    return step.type.startswith("kubernetes:")


def _place(step: Step) -> str:
    side = step.new or step.old
    return pending.place({"urn": step.urn, "inputs": side.inputs if side else {}})


def _made(step: Step) -> JSON | None:
    if step.new is None:
        return None
    resource: JSON = {
        "urn": step.urn,
        "custom": True,
        "type": step.type,
        "inputs": _without_secrets(values.shown(step.new.inputs)),
    }
    resource.update({key: value for key, value in _references(step.new) if value})
    return resource


def _references(state: State) -> list[tuple[str, str]]:
    return [("parent", state.parent), ("provider", state.provider)]


def _held(deployment: Mapping[str, Any], step: Step) -> JSON | None:
    """The state's own entry for the resource that a step was about."""
    same = [entry for entry in deployment.get("resources") or [] if entry["urn"] == step.urn]
    by_id = [entry for entry in same if step.old and entry.get("id") == step.old.id]
    return copy.deepcopy(next(iter([*by_id, *same]), None))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: found for key, item in value.items() if (found := _without_secrets(item)) is not ABSENT}
    if isinstance(value, list):
        return [found for item in value if (found := _without_secrets(item)) is not ABSENT]
    return ABSENT if value == SECRET else value
