"""The one model of change: a plan before an apply, an outcome after it. Every view shows these and nothing else.

Values are plain JSON data. A secret is always `SECRET`, what is known only after the apply is `UNKNOWN`, and a field
that does not exist on one side is `ABSENT`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SECRET = "[secret]"
UNKNOWN = "[known after the apply]"
SCHEMA = 1


class _Absent:
    """The field is not there at all (which differs from null)."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()


class Operation(StrEnum):
    """What happens to a resource. `retain`: it leaves the state and stays in the cluster."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    READ = "read"
    IMPORT = "import"
    REFRESH = "refresh"
    SAME = "same"


class Mode(StrEnum):
    """What a plan was made from. Hermetic: two commits; state: the last state; live: the API server too."""

    HERMETIC = "hermetic"
    STATE = "state"
    LIVE = "live"


class Effect(StrEnum):
    """What a change means for what is running; `cli.review` judges it."""

    RESTARTS_PODS = "restarts its pods"
    SCALES = "changes the number of pods"
    DOWNTIME = "downtime"
    DATA_AT_RISK = "data at risk"
    STOPS = "stops what runs"


@dataclass(frozen=True)
class FieldChange:
    """One field that differs. `path` is Pulumi's property path; not `certain`: only the apply can tell."""

    path: str
    before: Any
    after: Any
    secret: bool = False
    certain: bool = True
    replaces: bool = False

    def to_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"path": self.path}
        sides = {"before": self.before, "after": self.after}
        entry |= {side: value for side, value in sides.items() if value is not ABSENT}
        return entry | {"secret": self.secret, "certain": self.certain, "replaces": self.replaces}


@dataclass(frozen=True)
class Change:
    """One resource that an apply touches. `component` names its component ancestors, outermost first, joined by `/`.

    Not `certain`: only the apply can tell whether it happens. `before` and `after` are the whole inputs, secrets as
    placeholders, empty on the side where the resource does not exist. `renamed_from`: its Pulumi name until now.
    `again`: it was not ready when it was last looked at, or its run was cut off; the engine updates it for that alone.
    """

    urn: str
    type: str
    name: str
    operation: Operation
    component: str = ""
    fields: tuple[FieldChange, ...] = ()
    effects: tuple[Effect, ...] = ()
    certain: bool = True
    renamed_from: str = ""
    again: bool = False
    before: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    after: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def kind(self) -> str:
        return self.type.rsplit(":", 1)[-1]

    def to_json(self) -> dict[str, Any]:
        return {
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "component": self.component,
            "operation": self.operation.value,
            "certain": self.certain,
            "renamed_from": self.renamed_from,
            "again": self.again,
            "fields": [entry.to_json() for entry in self.fields],
            "effects": [effect.value for effect in self.effects],
        }


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, the program or a provider. `severity`: info, warning or error."""

    severity: str
    message: str
    urn: str = ""

    def to_json(self) -> dict[str, str]:
        return {"severity": self.severity, "message": self.message, "urn": self.urn}


@dataclass(frozen=True)
class ResourceFailure:
    """A resource whose operation failed, with the provider's reason."""

    urn: str
    message: str

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]

    def to_json(self) -> dict[str, str]:
        return {"urn": self.urn, "message": self.message}


@dataclass(frozen=True)
class Plan:
    """What an apply would do. `counts` by operation include `same`; `seconds` is the time of the whole preview.

    `base` and `head` say what was compared (`origin/main 3f2a91c`); empty where the mode says it.
    """

    environment: str
    changes: tuple[Change, ...]
    counts: dict[str, int]
    seconds: float
    engine: str
    provider: str
    diagnostics: tuple[Diagnostic, ...] = ()
    declared: tuple[dict[str, Any], ...] = field(default=(), repr=False, compare=False)
    """Every Kubernetes object that the program asks for, changed or not, secrets as placeholders."""
    still: tuple[Change, ...] = field(default=(), repr=False, compare=False)
    """The Deployments and autoscalers that the engine leaves as they are: others may count their copies."""
    mode: Mode = Mode.LIVE
    base: str = ""
    head: str = ""

    @property
    def empty(self) -> bool:
        return not self.changes

    @property
    def resources(self) -> int:
        """How many resources the environment has, or will have."""
        gone = {Operation.DELETE, Operation.RETAIN}
        return sum(count for operation, count in self.counts.items() if operation not in gone)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "environment": self.environment,
            "mode": self.mode.value,
            "base": self.base,
            "head": self.head,
            "changes": [change.to_json() for change in self.changes],
            "counts": self.counts,
            "resources": self.resources,
            "diagnostics": [entry.to_json() for entry in self.diagnostics],
            "seconds": round(self.seconds, 3),
            "engine": self.engine,
            "provider": self.provider,
        }


@dataclass(frozen=True)
class Outcome:
    """What an operation did. Not `ok`: `failures` and the diagnostics say why; the state holds what was done."""

    environment: str
    ok: bool
    changes: tuple[Change, ...]
    counts: dict[str, int]
    outputs: dict[str, Any]
    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[ResourceFailure, ...]
    seconds: float
    engine: str
    provider: str
    interrupted: bool = False
    resources: int = field(default=0)
    still: tuple[Change, ...] = field(default=(), repr=False, compare=False)
    """As in a plan."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not ok: what failed, each with its name, and what the engine said of errors."""
        said = [f"{failure.name}: {failure.message}" for failure in self.failures]
        return (*said, *(entry.message for entry in self.diagnostics if entry.severity == "error"))

    @property
    def reason(self) -> str:
        """The first of them in one line."""
        if self.interrupted:
            return "interrupted"
        lines = [line for text in self.reasons for line in text.splitlines()[:1]]
        return next(iter(lines), "the engine failed")

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "environment": self.environment,
            "ok": self.ok,
            "interrupted": self.interrupted,
            "changes": [change.to_json() for change in self.changes],
            "counts": self.counts,
            "resources": self.resources,
            "outputs": self.outputs,
            "diagnostics": [entry.to_json() for entry in self.diagnostics],
            "failures": [entry.to_json() for entry in self.failures],
            "seconds": round(self.seconds, 3),
            "engine": self.engine,
            "provider": self.provider,
        }


@dataclass(frozen=True)
class Update:
    """One entry of the engine's own history. `at` is the start in UTC (RFC 3339)."""

    version: int
    kind: str
    result: str
    at: str
    seconds: float
    message: str
    counts: dict[str, int]
    git: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "kind": self.kind,
            "result": self.result,
            "at": self.at,
            "seconds": self.seconds,
            "message": self.message,
            "counts": self.counts,
            "git": self.git,
        }
