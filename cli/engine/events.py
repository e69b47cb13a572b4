"""The engine's event stream, typed, and its folding into a plan or an outcome.

The wire form is Pulumi's `apitype.EngineEvent`, one JSON object an event; every secret is blinded before it is sent.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cli import protocol
from cli.engine import values
from cli.engine.model import ABSENT, SECRET, UNKNOWN, Change, Diagnostic, FieldChange, Operation, ResourceFailure
from components.tracks import COUNTED

_DEFAULT_PROVIDER = "::default"
_KUBERNETES = "kubernetes:"

# The engine's step names, as what they mean to a reader; the ones left out are bookkeeping.
OPERATIONS = {
    "same": Operation.SAME,
    "create": Operation.CREATE,
    "update": Operation.UPDATE,
    "delete": Operation.DELETE,
    "replace": Operation.REPLACE,
    "create-replacement": Operation.REPLACE,
    "delete-replaced": Operation.REPLACE,
    "import-replacement": Operation.REPLACE,
    "read-replacement": Operation.READ,
    "read": Operation.READ,
    "import": Operation.IMPORT,
    "refresh": Operation.REFRESH,
}
_HEADING = re.compile(r"\d+ errors? occurred:")
_NEW = frozenset({"create", "import"})
UNCHANGED = frozenset({Operation.SAME, Operation.READ, Operation.REFRESH})
_UNTOLD = frozenset({Operation.SAME, Operation.DELETE, Operation.RETAIN})


@dataclass(frozen=True)
class State:
    """A resource before or after a step; secrets are blinded."""

    parent: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    retain_on_delete: bool
    id: str = ""
    provider: str = ""
    custom: bool = True
    unready: bool = False


@dataclass(frozen=True)
class Step:
    """One step of the engine on one resource. `detailed` is the provider's own list of changed paths, if any."""

    operation: str
    urn: str
    type: str
    old: State | None
    new: State | None
    changed: tuple[str, ...]
    detailed: dict[str, dict[str, Any]] | None

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]

    @property
    def parent(self) -> str:
        side = self.new or self.old
        return side.parent if side else ""

    @property
    def custom(self) -> bool:
        """Whether a provider makes it; a component only holds others."""
        side = self.new or self.old
        return side.custom if side else True


@dataclass(frozen=True)
class Started:
    step: Step


@dataclass(frozen=True)
class Done:
    step: Step


@dataclass(frozen=True)
class Failed:
    step: Step


@dataclass(frozen=True)
class Message:
    """`passing`: a status for the moment, replaced by the next one of the same resource."""

    severity: str
    text: str
    urn: str
    passing: bool


@dataclass(frozen=True)
class Summary:
    """Sent once, at the end. `result` is `succeeded` or `failed`, or empty from an older engine."""

    seconds: float
    result: str


Event = Started | Done | Failed | Message | Summary


def parse(text: str) -> Event | None:
    """One event of the stream; None for those that nobody here needs."""
    data = json.loads(text)
    for key, kind in (("resourcePreEvent", Started), ("resOutputsEvent", Done), ("resOpFailedEvent", Failed)):
        if entry := data.get(key):
            return kind(_step(entry["metadata"]))
    if entry := data.get("diagnosticEvent"):
        return _message(entry)
    if entry := data.get("policyEvent"):
        return Message(
            _severity(entry["enforcementLevel"]), entry["message"].strip(), entry.get("resourceUrn", ""), False
        )
    if entry := data.get("errorEvent"):
        return Message("error", entry["error"].strip(), "", False)
    if entry := data.get("summaryEvent"):
        return Summary(float(entry.get("durationSeconds", 0)), entry.get("result", ""))
    return None


def _message(entry: dict[str, Any]) -> Message:
    severity = {"info#err": "error"}.get(entry["severity"], entry["severity"])
    return Message(severity, _tidy(entry["message"]), entry.get("urn", ""), bool(entry.get("ephemeral")))


def _tidy(text: str) -> str:
    """Several errors come as `2 errors occurred:` with a starred line each; one line each is what they mean."""
    lines = [line.strip().removeprefix("* ") for line in text.strip().splitlines()]
    return "\n".join(line for line in lines if not _HEADING.fullmatch(line))


def _severity(level: str) -> str:
    return "error" if level == "mandatory" else "warning"


def _step(data: dict[str, Any]) -> Step:
    return Step(
        operation=data["op"],
        urn=data["urn"],
        type=data["type"],
        old=_state(data.get("old")),
        new=_state(data.get("new")),
        changed=tuple(data.get("diffs") or ()),
        detailed=data.get("detailedDiff"),
    )


def _state(data: dict[str, Any] | None) -> State | None:
    if data is None:
        return None
    return State(
        parent=data.get("parent", ""),
        inputs=data.get("inputs") or {},
        outputs=data.get("outputs") or {},
        retain_on_delete=bool(data.get("retainOnDelete")),
        id=data.get("id", ""),
        provider=data.get("provider", ""),
        custom=bool(data.get("custom")),
        unready=bool(data.get("initErrors")),
    )


class Fold:
    """Gathers the events of one run; read its results once the engine has ended."""

    def __init__(self, *, refreshing: bool = False) -> None:
        self._steps: dict[str, Step] = {}
        self._parents: dict[str, str] = {}
        self._types: dict[str, str] = {}
        self._messages: list[Message] = []
        self._failed: list[str] = []
        self._outputs: dict[str, Any] = {}
        self._refreshing = refreshing
        self.summary: Summary | None = None

    def add(self, event: Event) -> None:
        """Take one more event."""
        match event:
            case Started(step):
                self._seen(step)
                if not self._refreshing:
                    self._keep(step)
            case Done(step):
                self._seen(step)
                self._finished(step)
            case Failed(step):
                self._seen(step)
                self._failed.append(step.urn)
            case Message(passing=False):
                self._messages.append(event)
            case Summary():
                self.summary = event

    def changes(self) -> tuple[Change, ...]:
        """Everything that is not as it was, in the engine's order; secrets and unknowns as placeholders.

        A component is no more than the resources in it: it is counted, and only they are told.
        """
        changed = (step for step in self._steps.values() if operation(step) not in UNCHANGED)
        return tuple(self._change(step) for step in changed if step.custom)

    def still(self) -> tuple[Change, ...]:
        """The Deployments and autoscalers that stay as they are, each as a change of nothing."""
        same = (step for step in self._steps.values() if operation(step) is Operation.SAME)
        return tuple(self._change(step) for step in same if step.type.rpartition(":")[2] in COUNTED)

    def counts(self) -> dict[str, int]:
        """How many resources each operation touches, by name; unchanged ones under `same`."""
        counted = Counter(_counted_as(operation(step)).value for step in self._steps.values())
        return dict(sorted(counted.items()))

    def planned(self) -> tuple[Step, ...]:
        """One step a resource, unchanged ones included."""
        return tuple(self._steps.values())

    def declared(self) -> tuple[dict[str, Any], ...]:
        """The Kubernetes objects that the program asks for, changed or not; secrets and unknowns as placeholders."""
        states = (step.new for step in self._steps.values() if step.type.startswith(_KUBERNETES))
        return tuple(values.shown(state.inputs) for state in states if state is not None)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets as placeholders."""
        return {key: values.shown(value) for key, value in self._outputs.items()}

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was said and stays: warnings and errors, each once."""
        said = dict.fromkeys((entry.severity, entry.text, entry.urn) for entry in self._messages if entry.text)
        return tuple(Diagnostic(severity, text, urn) for severity, text, urn in said if severity != "debug")

    def failures(self) -> tuple[ResourceFailure, ...]:
        """The resources whose operation failed, each with what was said about it."""
        blamed = {entry.urn for entry in self._messages if entry.severity == "error"}
        known = [urn for urn, kind in self._types.items() if urn in blamed and kind != protocol.STACK]
        urns = dict.fromkeys([*self._failed, *known])
        return tuple(ResourceFailure(urn, self._said_about(urn)) for urn in urns)

    def component(self, urn: str) -> str:
        """The names of the components around a resource, outermost first, joined by `/`."""
        names: list[str] = []
        while (urn := self._parents.get(urn, "")) and f"::{protocol.STACK}::" not in urn:
            names.append(urn.rsplit("::", 1)[-1])
        return "/".join(reversed(names))

    def _seen(self, step: Step) -> None:
        self._parents[step.urn] = step.parent
        self._types[step.urn] = step.type

    def _keep(self, step: Step) -> None:
        bookkeeping = step.type == protocol.STACK or step.operation not in OPERATIONS
        if bookkeeping or (step.type.startswith("pulumi:providers:") and _DEFAULT_PROVIDER in step.urn):
            return
        before = self._steps.get(step.urn)
        if before is None or operation(before) is Operation.SAME or _tells_more(step, before):
            self._steps[step.urn] = step

    def _finished(self, step: Step) -> None:
        if step.type == protocol.STACK:
            self._outputs = step.new.outputs if step.new else {}
        elif self._refreshing:
            self._keep(step)

    def _said_about(self, urn: str) -> str:
        said = [entry.text for entry in self._messages if entry.urn == urn and entry.severity == "error"]
        return "\n".join(dict.fromkeys(said)) or "failed without a reason"

    def _change(self, step: Step) -> Change:
        done = operation(step)
        fields = field_changes(step) if done not in _UNTOLD else ()
        return Change(
            urn=step.urn,
            type=step.type,
            name=step.name,
            operation=done,
            component=self.component(step.urn),
            fields=fields,
            again=done is Operation.UPDATE and step.old is not None and step.old.unready,
            before=_shown(step.old, step.operation not in _NEW),
            after=_shown(step.new, done not in (Operation.DELETE, Operation.RETAIN)),
        )


def operation(step: Step) -> Operation:
    """What a step means to a reader."""
    found = OPERATIONS.get(step.operation, Operation.SAME)
    retained = found is Operation.DELETE and step.old is not None and step.old.retain_on_delete
    return Operation.RETAIN if retained else found


def _shown(side: State | None, there: bool) -> dict[str, Any]:
    shown: dict[str, Any] = values.shown(side.inputs) if side and there else {}
    return shown


def field_changes(step: Step) -> tuple[FieldChange, ...]:
    """The fields that differ: the provider's own list where it gave one, else what differs between the inputs."""
    old = values.shown(step.old.inputs) if step.old else {}
    new = values.shown(step.new.inputs) if step.new else {}
    if step.detailed and step.operation not in ("create", "import", "refresh"):
        live = values.shown(step.old.outputs) if step.old else {}
        return _detailed(step.detailed, old, live, new)
    differing = values.differences(old, new)
    if step.changed:
        differing = [entry for entry in differing if entry[0] and entry[0][0] in step.changed] or differing
    return tuple(_field(values.format_path(path), before, after) for path, before, after in differing)


def _detailed(detailed: dict[str, dict[str, Any]], old: Any, live: Any, new: Any) -> tuple[FieldChange, ...]:
    """The provider's list; within lists of named items (containers, variables) by name instead of by position."""
    fields: list[FieldChange] = []
    lists: dict[values.Path, bool] = {}
    for path, entry in sorted(detailed.items()):
        if (around := values.named_list(new, values.parse_path(path))) is not None:
            lists[around] = lists.get(around, False) or entry["diffKind"].endswith("replace")
        else:
            fields.append(_listed(path, entry, old, live, new))
    named = [field for around, replaces in lists.items() for field in _named(around, replaces, old, live, new)]
    return tuple(sorted([*fields, *named], key=lambda field: field.path))


def _named(around: values.Path, replaces: bool, old: Any, live: Any, new: Any) -> list[FieldChange]:
    after = values.look_up(new, around)
    before = values.look_up(old, around)
    if before == after or before is ABSENT:
        before = values.pruned(values.look_up(live, around), after)
    differing = values.differences(before, after, around)
    return [_field(values.format_path(path), left, right, replaces=replaces) for path, left, right in differing]


def _listed(path: str, entry: dict[str, Any], old: Any, live: Any, new: Any) -> FieldChange:
    steps = values.parse_path(path)
    before = values.look_up(old if entry.get("inputDiff") else live, steps)
    if before is ABSENT and not entry["diffKind"].startswith("add"):
        before = values.look_up(old, steps)
    after = values.look_up(new, steps)
    return _field(path, before, after, replaces=entry["diffKind"].endswith("replace"))


def _field(path: str, before: Any, after: Any, *, replaces: bool = False) -> FieldChange:
    secret = any(values.contains(side, SECRET) for side in (before, after))
    unknown = any(values.contains(side, UNKNOWN) for side in (before, after))
    return FieldChange(path, before, after, secret=secret, certain=not unknown, replaces=replaces)


def _tells_more(step: Step, before: Step) -> bool:
    """Of the several steps of a replacement, one carries the list of fields."""
    return operation(step) is Operation.REPLACE and bool(step.detailed) and not before.detailed


def _counted_as(done: Operation) -> Operation:
    return Operation.SAME if done in UNCHANGED else done
