"""What became of each operation that a killed run left pending, and what to do about it. Pure.

A `Found` is what the cluster said about one operation's object; `judge` makes a `Finding` of it, with the action that
settles it; `cli.engine.mended` carries the actions out on an exported state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import zip_longest
from typing import Any

from cli import protocol
from cli.engine import pending
from cli.engine.pending import Pending

JSON = dict[str, Any]
Path = tuple[str | int, ...]

MAKERS = ("pulumi-kubernetes", "pulumi-resource-kubernetes")
"""Prefixes of the field managers under which either provider makes objects."""

_CLOCKS_DIFFER = timedelta(minutes=1)


class Action(Enum):
    """What settles an operation. The value says it to people."""

    FORGET = "forget the operation"
    ADOPT = "take the object into the state"
    APPLIED = "record the new inputs, and read the object back"
    UNTOUCHED = "keep the old inputs, and read the object back"
    AGAIN = "have the next `turnout up` apply it again"
    GONE = "take the resource out of the state"
    KEEP = "keep the resource in the state"
    READ = "read the resource back through its provider"
    AWAIT = "wait until it is gone, then look again"


READ_BACK = frozenset({Action.ADOPT, Action.APPLIED, Action.UNTOUCHED, Action.READ})
"""Actions after which a refresh of the resource brings its outputs."""


@dataclass(frozen=True)
class Operation:
    """One pending operation: `resource` as it was to become, `old` as the state has it (None: it has none)."""

    pending: Pending
    resource: JSON
    old: JSON | None
    upserts: bool = False
    """Its provider takes over an object that is there already."""

    @property
    def is_kubernetes(self) -> bool:
        return self.id is not None and _type(self.resource) is not None

    @property
    def is_patch(self) -> bool:
        """It owns some fields of an object that somebody else made."""
        type_ = _type(self.resource)
        return type_ is not None and type_.patch

    @property
    def id(self) -> str | None:
        """`[namespace/]name` in the cluster; None where neither id nor inputs tell it."""
        if self.resource.get("id"):
            return str(self.resource["id"])
        metadata = (self.resource.get("inputs") or {}).get("metadata") or {}
        named = isinstance(metadata.get("name"), str) and not isinstance(metadata.get("namespace"), dict)
        return pending.place(self.resource) if named else None


@dataclass(frozen=True)
class Found:
    """What the cluster holds under the operation's name. `unknown`: why nobody could look; then `live` says nothing."""

    live: Mapping[str, Any] | None = None
    unknown: str = ""


@dataclass(frozen=True)
class Finding:
    """One operation, what was found out about it, and what settles it (None: only a person can, by `next`)."""

    pending: Pending
    found: str
    action: Action | None
    next: str = ""
    id: str = ""
    live: Mapping[str, Any] | None = None


def operations(state: Mapping[str, Any]) -> list[Operation]:
    """The pending operations of an exported state, in its order."""
    deployment = state["deployment"]
    resources = deployment.get("resources") or []
    entries = deployment.get("pending_operations") or []
    shown = pending.of_deployment(deployment)
    return [
        Operation(one, entry["resource"], _old(resources, entry["resource"]), _upserts(resources, entry["resource"]))
        for one, entry in zip(shown, entries, strict=True)
    ]


def judge(
    operation: Operation, found: Found, environment: str, began: datetime | None = None, *, waited: bool = False
) -> Finding:
    """What to do about one operation.

    `began`: no later than this the killed run began; None: nobody knows. `waited`: an object that is being deleted has
    been waited for.
    """
    what = operation.pending.operation
    if str(operation.resource["type"]).startswith(protocol.PROVIDERS):
        return _finding(operation, "a provider lives in the state alone", Action.FORGET)
    if not operation.resource.get("custom"):
        return _finding(operation, "a component lives in the state alone", Action.FORGET)
    if what in ("reading", "importing"):
        return _finding(operation, "it changes nothing in the cluster", Action.FORGET)
    if not operation.is_kubernetes:
        return _of_another_provider(operation, environment)
    if found.unknown:
        return _finding(operation, f"nobody could look: {found.unknown}", None, f"turnout repair {environment}")
    if found.live is not None and is_going(found.live) and not _is_another(operation, found.live):
        return _going(operation, found.live, environment, waited=waited)
    if what == "creating":
        return _created(operation, found.live, environment, began)
    return _deleted(operation, found.live) if what == "deleting" else _updated(operation, found.live)


def is_ours(live: Mapping[str, Any], inputs: Mapping[str, Any], began: datetime | None) -> bool:
    """Whether an object was made by this engine's providers, and not before the run began."""
    metadata = live["metadata"]
    asked = _asked_manager(inputs)
    managers = {entry.get("manager", "") for entry in metadata.get("managedFields") or []}
    if not any(name.startswith(MAKERS) or name == asked for name in managers):
        return False
    return began is None or moment(metadata["creationTimestamp"]) >= began - _CLOCKS_DIFFER


def began_after(urn: str, earlier: Iterable[Mapping[str, Any]]) -> datetime | None:
    """A moment before the run that left `urn` pending: the newest earlier deployment in which it was not."""
    for deployment in earlier:
        if not any(entry["resource"]["urn"] == urn for entry in deployment.get("pending_operations") or []):
            written = (deployment.get("manifest") or {}).get("time")
            return moment(written) if written else None
    return None


def moment(text: str) -> datetime:
    """An RFC 3339 stamp; beyond microseconds it is cut."""
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _created(operation: Operation, live: Mapping[str, Any] | None, environment: str, began: datetime | None) -> Finding:
    if live is None:
        return _finding(operation, "it is not in the cluster: the next `turnout up` creates it", Action.FORGET)
    if _is_in_state(operation):
        return _finding(operation, "it is in the cluster, and in the state already", Action.FORGET)
    if operation.is_patch:
        return _patched(operation, live)
    if operation.upserts:
        return _finding(operation, "it is in the cluster: the next `turnout up` takes it over", Action.FORGET)
    if is_ours(live, operation.resource.get("inputs") or {}, began):
        return _finding(operation, "it is in the cluster, made by that run", Action.ADOPT, live=live)
    return _finding(
        operation,
        f"it is in the cluster, but not made by that run: {_makers(live)}",
        None,
        _import_command(operation, environment),
    )


def _is_in_state(operation: Operation) -> bool:
    old = operation.old or {}
    return old.get("id") == operation.id and not old.get("delete") and not old.get("pendingReplacement")


def _patched(operation: Operation, live: Mapping[str, Any]) -> Finding:
    if patch_manager(live, operation.resource.get("inputs") or {}):
        return _finding(operation, "its fields are in the cluster", Action.ADOPT, live=live)
    return _finding(operation, "its fields are not in the cluster: the next `turnout up` sets them", Action.FORGET)


def patch_manager(live: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """The manager under which a patch owns its fields: the one that was asked for, else the newest made-up one."""
    asked = _asked_manager(inputs)
    applied = [entry for entry in live["metadata"].get("managedFields") or [] if entry.get("operation") == "Apply"]
    ours = [
        entry for entry in applied if entry["manager"] == asked or entry["manager"].startswith("pulumi-kubernetes-")
    ]
    wanted = [entry for entry in ours if not asked or entry["manager"] == asked]
    newest: Mapping[str, Any] = max(wanted, key=lambda entry: str(entry.get("time") or ""), default={})
    return str(newest.get("manager") or "")


def _asked_manager(inputs: Mapping[str, Any]) -> str | None:
    found = ((inputs.get("metadata") or {}).get("annotations") or {}).get(protocol.FIELD_MANAGER)
    return found if isinstance(found, str) else None


def _updated(operation: Operation, live: Mapping[str, Any] | None) -> Finding:
    if live is None:
        return _finding(operation, "it is not in the cluster any more: the next `turnout up` creates it", Action.GONE)
    if operation.old is None:
        return _finding(operation, "the state does not have it any more", Action.FORGET)
    action = _of_update(live, operation)
    return _finding(operation, _UPDATE_SEEN[action], action)


_UPDATE_SEEN = {
    Action.APPLIED: "the update is in the cluster",
    Action.UNTOUCHED: "the update is not in the cluster: the next `turnout up` brings it",
    Action.AGAIN: "the cluster holds neither all of the old nor all of the new",
}


def _deleted(operation: Operation, live: Mapping[str, Any] | None) -> Finding:
    if live is None:
        return _finding(operation, "it is gone from the cluster", Action.GONE)
    if _is_another(operation, live):
        return _finding(operation, "it is gone; another object has its name now", Action.GONE)
    return _finding(operation, "it is still there: the next `turnout up` or `destroy` deletes it", Action.KEEP)


def _is_another(operation: Operation, live: Mapping[str, Any]) -> bool:
    """Whether the object that the state knew is gone, and this one only has its name."""
    recorded = ((operation.resource.get("outputs") or {}).get("metadata") or {}).get("uid")
    return isinstance(recorded, str) and recorded != live["metadata"].get("uid")


def is_going(live: Mapping[str, Any]) -> bool:
    """Whether an object is being deleted: nothing can keep it any more."""
    return bool(live["metadata"].get("deletionTimestamp"))


def _going(operation: Operation, live: Mapping[str, Any], environment: str, *, waited: bool) -> Finding:
    holding = ", ".join(live["metadata"].get("finalizers") or []) or "nothing that it names"
    if not waited:
        return _finding(operation, f"it is being deleted; what holds it: {holding}", Action.AWAIT)
    see = f"see why {holding} does not let it go"
    return _finding(
        operation, f"it is still being deleted, held by {holding}", None, f"{see}; turnout repair {environment}"
    )


def _of_another_provider(operation: Operation, environment: str) -> Finding:
    type_ = operation.resource["type"]
    if operation.pending.operation == "creating":
        return _finding(
            operation,
            f"turnout cannot look up a {type_} that was never given an id",
            None,
            f"look for it yourself; when it is not there: pulumi refresh --stack {environment} --clear-pending-creates",
        )
    return _finding(operation, f"a {type_} is read back through its own provider", Action.READ)


def _of_update(live: Mapping[str, Any], operation: Operation) -> Action:
    """Which of the two inputs the live object agrees with, wherever they differ. A secret agrees with nothing."""
    from cli.provider import paths

    assert operation.old is not None
    old, new = operation.old.get("inputs") or {}, operation.resource.get("inputs") or {}
    ignored = [paths.parse(text) for text in operation.resource.get("ignoreChanges") or []]
    votes = [
        (_is(there, before), _is(there, after))
        for path, before, after in _differences(old, new)
        if not any(paths.covers(one, path) for one in ignored)
        for there in (paths.get(live, path, _ABSENT),)
    ]
    is_old, is_new = all(vote[0] for vote in votes), all(vote[1] for vote in votes)
    if is_new == is_old:
        return Action.AGAIN
    return Action.APPLIED if is_new else Action.UNTOUCHED


_ABSENT: Any = object()


def _differences(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """(path, old value, new value) wherever the two differ, as deep as they are alike."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip_longest(old, new, fillvalue=_ABSENT)):
            yield from _differences(before, after, (*path, index))
    elif old is _ABSENT or new is _ABSENT or old != new:
        yield path, old, new


def _is(live: Any, wanted: Any) -> bool:
    """Whether a live value is what was asked for; the server may have added to it."""
    if wanted is _ABSENT or wanted is None:
        return live is _ABSENT or live is None
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_is(live.get(key, _ABSENT), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(_is, live, wanted))
    return bool(live == wanted)


def _finding(
    operation: Operation, found: str, action: Action | None, next: str = "", live: Mapping[str, Any] | None = None
) -> Finding:
    return Finding(operation.pending, found, action, next, operation.id or "", live)


def _makers(live: Mapping[str, Any]) -> str:
    managers = {entry.get("manager", "") for entry in live["metadata"].get("managedFields") or []}
    made = live["metadata"].get("creationTimestamp", "at a time unknown")
    return f"of {made}, its fields are of {', '.join(sorted(filter(None, managers))) or 'nobody'}"


def _import_command(operation: Operation, environment: str) -> str:
    resource = operation.resource
    name = str(resource["urn"]).rsplit("::", 1)[-1]
    provider = str(resource.get("provider") or "").rpartition("::")[0]
    by = f" --provider '{provider.rsplit('::', 1)[-1]}={provider}'" if provider else ""
    taken_over = f"pulumi import '{resource['type']}' '{name}' '{operation.id}'{by} --stack {environment}"
    return f"delete it, or take it over: {taken_over}; then turnout repair {environment}"


def _type(resource: JSON) -> Any:
    """The kind as our provider knows it; None for what is no Kubernetes object."""
    from cli.errors import TurnoutError
    from cli.provider import kinds

    try:
        return kinds.of_token(str(resource["type"]))
    except TurnoutError:
        return None


def _old(resources: Iterable[JSON], resource: JSON) -> JSON | None:
    """The state's entry that an operation is about: the same id before one that lives, and that before a leftover."""
    same = [entry for entry in resources if entry["urn"] == resource["urn"]]
    by_id = [entry for entry in same if resource.get("id") and entry.get("id") == resource["id"]]
    alive = [entry for entry in same if not entry.get("delete")]
    return next(iter([*by_id, *alive, *same]), None)


def _upserts(resources: Iterable[JSON], resource: JSON) -> bool:
    inputs = provider_inputs(resources, resource)
    return str(inputs.get("upsertExistingObjects", "")).lower() == "true"


def provider_inputs(resources: Iterable[JSON], resource: JSON) -> JSON:
    """What the resource's provider was configured with; nothing where the state does not have it."""
    urn, _, id_ = str(resource.get("provider") or "").rpartition("::")
    found = next((entry for entry in resources if entry["urn"] == urn and entry.get("id") == id_), None)
    inputs: JSON = (found or {}).get("inputs") or {}
    return inputs
