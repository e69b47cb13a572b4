"""An exported state after its pending operations were settled. Pure; changes nothing in the state that it is given."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cli.engine.repair import READ_BACK, Action, Finding, Operation, patch_manager

JSON = dict[str, Any]

INTERRUPTED = "turnout: the run that worked on this was ended in the middle; the next one applies it again"
"""An entry of `initErrors`: the engine updates a resource that has one, even when nothing differs."""


def mended(state: JSON, operations: Sequence[Operation], findings: Sequence[Finding]) -> JSON:
    """The state with every finding's action done; operations without one stay pending."""
    new = copy.deepcopy(state)
    deployment = new["deployment"]
    resources: list[JSON] = deployment.get("resources") or []
    for operation, finding in zip(operations, findings, strict=True):
        if finding.action in (Action.APPLIED, Action.AGAIN):
            _reapply(resources, operation, applied=finding.action is Action.APPLIED)
        elif finding.action is Action.GONE:
            _remove(resources, operation)
        elif finding.action is Action.ADOPT:
            _adopt(resources, operation, finding)
    deployment["resources"] = resources
    left = [
        copy.deepcopy(entry)
        for entry, finding in zip(deployment.get("pending_operations") or [], findings, strict=True)
        if finding.action in (None, Action.AWAIT)
    ]
    deployment.pop("pending_operations", None)
    if left:
        deployment["pending_operations"] = left
    return new


def to_read(state: JSON, findings: Iterable[Finding]) -> list[str]:
    """The URNs, in the mended state, of what is to be read back."""
    held = {entry["urn"] for entry in state["deployment"].get("resources") or []}
    wanted = {finding.pending.urn for finding in findings if finding.action in READ_BACK}
    return sorted(held & wanted)


def _reapply(resources: list[JSON], operation: Operation, *, applied: bool) -> None:
    entry = _entry(resources, operation)
    if entry is None:
        return
    if applied:
        entry["inputs"] = copy.deepcopy(operation.resource.get("inputs") or {})
        entry["outputs"] = _outputs(entry.get("outputs") or {}, entry["inputs"])
    entry["initErrors"] = [INTERRUPTED]


def _adopt(resources: list[JSON], operation: Operation, finding: Finding) -> None:
    assert finding.live is not None
    made = finding.live["metadata"].get("creationTimestamp")
    entry = copy.deepcopy(operation.resource)
    entry["id"] = finding.id
    entry["outputs"] = _outputs({}, entry.get("inputs") or {}) | _patching(operation, finding.live)
    entry["initErrors"] = [INTERRUPTED]
    entry.update({key: made for key in ("created", "modified") if made and key not in entry})
    _make_room(resources, entry)
    resources.insert(_after_all_it_needs(resources, entry), entry)


def _patching(operation: Operation, live: Mapping[str, Any]) -> JSON:
    """A patch is known to the cluster by its manager alone."""
    manager = patch_manager(live, operation.resource.get("inputs") or {}) if operation.is_patch else ""
    return {"__fieldManager": manager} if manager else {}


def _make_room(resources: list[JSON], entry: JSON) -> None:
    """Of an earlier resource of that URN only a different object stays, to be deleted by the next run."""
    for old in [one for one in resources if one["urn"] == entry["urn"]]:
        if old.get("pendingReplacement") or old.get("id") == entry["id"]:
            resources.remove(old)
        else:
            old["delete"] = True


def _remove(resources: list[JSON], operation: Operation) -> None:
    entry = _entry(resources, operation)
    if entry is None:
        return
    resources[:] = [one for one in resources if one is not entry]
    if not any(one["urn"] == entry["urn"] for one in resources):
        for one in resources:
            _forget_reference(one, entry["urn"], entry.get("parent"))


def _forget_reference(entry: JSON, urn: str, parent: str | None) -> None:
    for key in ("dependencies", "replaceWith"):
        if urn in (entry.get(key) or ()):
            entry[key] = [one for one in entry[key] if one != urn]
    for key, needed in (entry.get("propertyDependencies") or {}).items():
        entry["propertyDependencies"][key] = [one for one in needed or () if one != urn]
    if entry.get("deletedWith") == urn:
        del entry["deletedWith"]
    if entry.get("parent") == urn:
        entry.pop("parent")
        entry.update({"parent": parent} if parent else {})


def _entry(resources: Iterable[JSON], operation: Operation) -> JSON | None:
    """The entry that the operation is about, in a copy of the state that it was read from."""
    old = operation.old
    if old is None:
        return None
    same = (entry for entry in resources if entry["urn"] == old["urn"] and entry.get("id") == old.get("id"))
    return next(same, None)


def _after_all_it_needs(resources: Sequence[JSON], entry: JSON) -> int:
    """The first place in the list behind everything that it refers to, which the engine insists on."""
    needed = {entry.get("parent"), str(entry.get("provider") or "").rpartition("::")[0], entry.get("deletedWith")}
    needed.update(entry.get("dependencies") or ())
    for urns in (entry.get("propertyDependencies") or {}).values():
        needed.update(urns or ())
    places = [place for place, one in enumerate(resources) if one["urn"] in needed]
    return max(places, default=-1) + 1


def _outputs(old: JSON, inputs: JSON) -> JSON:
    """What stands for the outputs until the object is read back: it is as was asked for."""
    kept = {key: value for key, value in old.items() if key.startswith("__")}
    version = {"__initialApiVersion": inputs["apiVersion"]} if isinstance(inputs.get("apiVersion"), str) else {}
    return {**old, **copy.deepcopy(inputs), **version, **kept, "__inputs": copy.deepcopy(inputs)}
