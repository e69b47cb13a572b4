"""One write of the state for a whole run, where the engine would write all of it twice for each resource.

That takes time with the square of their number. So before a run that changes much of a large environment its state is
told, in one write, of everything that is about to change, as the engine itself tells it of each resource: by pending
operations. The engine then writes once, at its end. A run that is killed in the middle leaves what any killed run
leaves, of more resources: `turnout repair` reads back what became of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from cli import protocol
from cli.engine import cutoff, pending
from cli.engine.events import Event, Message, Step, operation
from cli.engine.model import Operation
from cli.engine.store import held, layout
from cli.engine.store.place import Place

JSON = dict[str, Any]

VARIABLES: Final[Mapping[str, str]] = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
LEAST_BYTES: Final = 1_000_000
"""A smaller state is written quickly enough for every step: this one holds some 300 resources."""
LEAST_STEPS: Final = 30
"""Fewer changes are written quickly enough, too."""
CHOICE: Final = "TURNOUT_STATE_WRITES"
"""`once` and `each` decide it, whatever the size."""

_WARNING: Final = "pending operations from previous deployment"


def may_pay(place: Place) -> bool:
    """Whether writing the state for every step would take longer than a preview, which tells the steps."""
    key = place.current()
    if key is None or (chosen := place.variables.get(CHOICE)) == "each":
        return False
    return chosen == "once" or len(place.bucket.read(key) or b"") >= LEAST_BYTES


def pays(place: Place, steps: Sequence[Step]) -> bool:
    """Whether there are enough of them, and each can be found again by its name."""
    enough = len(steps) >= LEAST_STEPS or place.variables.get(CHOICE) == "once"
    return bool(steps) and enough and not any(map(_is_named_anew, steps))


def changing(steps: Iterable[Step]) -> list[Step]:
    """The steps of a plan that change something in a cluster."""
    return [part for step in steps if step.type.startswith("kubernetes:") for part in _parts(step)]


def _parts(step: Step) -> list[Step]:
    """A replacement under the same name reads like an update, whichever of the two objects is found later on."""
    if operation(step) is not Operation.REPLACE:
        return [step] if step.operation in cutoff.OPERATIONS else []
    words = ["update"] if _keeps_name(step) else ["create-replacement", "delete-replaced"]
    return [replace(step, operation=word) for word in words]


def _keeps_name(step: Step) -> bool:
    inputs = step.new.inputs if step.new else {}
    return step.old is not None and step.old.id == pending.place({"urn": step.urn, "inputs": inputs})


def _is_named_anew(step: Step) -> bool:
    """A name that the provider makes up is another one in the run than in its preview."""
    metadata = (step.new.inputs if step.new else {}).get("metadata")
    notes = metadata.get("annotations") if isinstance(metadata, dict) else None
    return cutoff.OPERATIONS[step.operation] == "creating" and isinstance(notes, dict) and protocol.AUTONAMED in notes


class Once:
    """The write before a run, and what of it is taken back when the engine has ended by itself."""

    def __init__(self, place: Place, steps: Sequence[Step]) -> None:
        self._place, self._steps = place, steps
        self._before = self._after = b""

    def begin(self) -> None:
        """Tell the state. Raises StackLocked when somebody works on it."""
        with held.lock(self._place):
            self._key, self._before = self._place.read_current()
            after = self._with(self._before, lambda deployment: cutoff.recorded(deployment, self._steps))
            self._place.bucket.write(self._key, after)
            self._after = after

    def end(self, under_way: Iterable[Step]) -> None:
        """Nothing is pending any more but what the engine had under way when it ended. Told once, taken back once."""
        told, self._after = self._after, b""
        if not told:
            return
        data = self._place.bucket.read(self._key)
        if data == told:
            self._place.bucket.write(self._key, self._before)
        elif data:
            left = {step.urn for step in under_way}
            gone = {step.urn for step in self._steps} - left
            settled = self._with(data, lambda deployment: without(deployment, gone))
            if settled != data:
                self._place.bucket.write(self._key, settled)

    def _with(self, data: bytes, edit: Any) -> bytes:
        found = self._place.examine(data, secrets=False)
        whole = replace(found, deployment=edit(found.deployment))
        return whole.encoded(self._place.stack, layout.compression(self._key))


def without(deployment: Mapping[str, Any], urns: set[str]) -> JSON:
    """The deployment less what is pending of these; the engine itself hands creations on, run after run."""
    kept = [row for row in deployment.get("pending_operations") or [] if row["resource"]["urn"] not in urns]
    rest = {key: value for key, value in deployment.items() if key != "pending_operations"}
    return {**rest, "pending_operations": kept} if kept else rest


def is_told(event: Event) -> bool:
    """Whether the engine only says that it found in the state what was announced to it."""
    return isinstance(event, Message) and event.severity == "warning" and _WARNING in event.text
