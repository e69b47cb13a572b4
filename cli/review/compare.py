"""What an apply of one render would change, had the other been applied before: the hermetic plan. Pure.

It follows the engine's and the provider's rules: which fields need a new object, what is ignored, retained, protected.
A change is certain unless it rests on a secret's ciphertext alone, or on a value that only an apply can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cli import protocol
from cli.engine.graph import Resource, ResourceGraph
from cli.engine.model import Change, Diagnostic, FieldChange, Operation
from cli.provider.replacements import Mutable
from cli.review import fields, pairs
from cli.review.fields import HASHED, Shower
from cli.review.pairs import Pairs
from components.tracks import TRACK_LABEL

_CLUSTER: Final = "clusterIdentifier"
_PLACES: Final = ("kubeconfig", "context", "cluster")


@dataclass(frozen=True)
class Comparison:
    """The changes in the program's order, deletions last; how many resources each operation touches; what to know."""

    changes: tuple[Change, ...]
    counts: dict[str, int]
    diagnostics: tuple[Diagnostic, ...]


def compare(before: ResourceGraph, after: ResourceGraph, unrotated: ResourceGraph | None = None) -> Comparison:
    """From `before` to `after`. `unrotated`: `after`, had no secret changed but for its encryption; None: none did."""
    shower = Shower([*before, *after, *(unrotated or ())])
    found = pairs.paired(before, after)
    changes = tuple(_changes(found, before, after, shower))
    if unrotated is not None:
        sure = _changes(pairs.paired(before, unrotated), before, unrotated, shower)
        changes = _weighed(changes, {change.urn: change for change in sure})
    return Comparison(changes, _counts(changes, found), tuple(_said(changes, found)))


def _changes(found: Pairs, before: ResourceGraph, after: ResourceGraph, shower: Shower) -> Iterator[Change]:
    replaced = {new.urn for old, new in found.both if _is_provider(new) and _moves(old.inputs, new.inputs)}
    older = {new.urn: old for old, new in found.both}
    for resource in after:
        if not resource.custom or resource.read_id:
            continue
        old = older.get(resource.urn)
        if old is None:
            yield _created(resource, after, found, shower)
        elif change := _updated(old, resource, after, replaced, shower):
            yield replace(change, renamed_from=_name(old) if old.name != resource.name else "")
    for resource in reversed(found.deleted):
        if resource.custom and not resource.read_id:
            yield _deleted(resource, before, shower)


def _created(resource: Resource, graph: ResourceGraph, found: Pairs, shower: Shower) -> Change:
    like = found.looks.get(resource.urn)
    done = Operation.IMPORT if resource.options.import_id else Operation.CREATE
    after = fields.comparable(resource)
    added = fields.changed({}, after, (), shower)
    renamed_from = _name(like) if like else ""
    return _change(resource, done, graph, found=added, after=shower.shown(after), renamed_from=renamed_from)


def _deleted(resource: Resource, graph: ResourceGraph, shower: Shower) -> Change:
    kept = resource.options.retain_on_delete
    before = shower.shown(fields.comparable(resource))
    return _change(resource, Operation.RETAIN if kept else Operation.DELETE, graph, before=before)


def _updated(old: Resource, new: Resource, graph: ResourceGraph, replaced: set[str], shower: Shower) -> Change | None:
    before, wanted = fields.comparable(old), fields.comparable(new)
    after = fields.respected(before, wanted, new.options.ignore_changes)
    found = fields.changed(before, after, fields.rules(after, new, _mutable(graph, new)), shower)
    if _is_provider(new):
        found = tuple(replace(entry, replaces=new.urn in replaced) for entry in found)
    found = (*_of_provider(old, new, replaced), *(_of_record(found) if fields.is_record(new) else found))
    if not found:
        return None
    done = Operation.REPLACE if any(entry.replaces for entry in found) else Operation.UPDATE
    return replace(
        _change(new, done, graph, found=found, before=shower.shown(before), after=shower.shown(after)),
        certain=any(entry.certain for entry in found),
    )


def _change(
    resource: Resource,
    operation: Operation,
    graph: ResourceGraph,
    *,
    found: tuple[FieldChange, ...] = (),
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    renamed_from: str = "",
) -> Change:
    return Change(
        urn=resource.urn,
        type=resource.type,
        name=_name(resource),
        operation=operation,
        component=_component(resource, graph),
        fields=found,
        renamed_from=renamed_from,
        before=before or {},
        after=after or {},
    )


def _name(resource: Resource) -> str:
    """Without the letter of its track: nobody knows here which one the settings describe."""
    labels = (resource.inputs.get("metadata") or {}).get("labels") or {}
    return resource.name.removesuffix(f"-{labels[TRACK_LABEL]}") if TRACK_LABEL in labels else resource.name


def _component(resource: Resource, graph: ResourceGraph) -> str:
    names: list[str] = []
    while around := graph.by_urn.get(resource.parent):
        names.append(around.name)
        resource = around
    return "/".join(reversed(names))


def _of_provider(old: Resource, new: Resource, replaced: set[str]) -> tuple[FieldChange, ...]:
    """Another provider, or one that now leads to another cluster, means another object."""
    before, after = (entry.provider.rpartition("::")[0] for entry in (old, new))
    if before == after and after not in replaced:
        return ()
    return (FieldChange("provider", before.rpartition("::")[2], after.rpartition("::")[2], replaces=True),)


def _moves(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a provider's settings now mean another cluster."""
    if old.get(_CLUSTER) and new.get(_CLUSTER):
        return bool(old[_CLUSTER] != new[_CLUSTER])
    return any(old.get(key) != new.get(key) for key in _PLACES)


def _of_record(found: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """A release record holds everything again: that there is another one is all there is to say."""
    if not found:
        return ()
    return (FieldChange("metadata.name", f"release-{HASHED}", f"release-{HASHED}", replaces=True),)


def _is_provider(resource: Resource) -> bool:
    return resource.type.startswith(protocol.PROVIDERS)


def _mutable(graph: ResourceGraph, resource: Resource) -> Mutable:
    """Whether the resource's provider changes ConfigMaps and Secrets in place."""
    provider = graph.provider_of(resource)
    said = provider.inputs if provider else {}
    return Mutable(
        config_maps=str(said.get("enableConfigMapMutable")).lower() == "true",
        secrets=str(said.get("enableSecretMutable")).lower() == "true",
    )


def _weighed(changes: Sequence[Change], sure: Mapping[str, Change]) -> tuple[Change, ...]:
    """A change, or a field of one, that would not be there had the secrets stayed the same, is only possible."""
    return tuple(_weighed_one(change, sure.get(change.urn)) for change in changes)


def _weighed_one(change: Change, sure: Change | None) -> Change:
    known = {entry.path for entry in sure.fields} if sure else set()
    found = tuple(replace(entry, certain=entry.certain and entry.path in known) for entry in change.fields)
    same = sure is not None and sure.operation is change.operation
    return replace(change, fields=found, certain=change.certain and same)


def _counts(changes: Sequence[Change], found: Pairs) -> dict[str, int]:
    """As the engine counts: components too."""
    counted = Counter(change.operation.value for change in changes)
    counted["create"] += sum(not one.custom for one in found.created)
    counted["delete"] += sum(not one.custom for one in found.deleted)
    touched = {change.urn for change in changes}
    counted["same"] += sum(new.urn not in touched for _, new in found.both)
    return dict(sorted((name, count) for name, count in counted.items() if count))


def _said(changes: Sequence[Change], found: Pairs) -> Iterator[Diagnostic]:
    options = {one.urn: one.options for one in found.deleted} | {new.urn: old.options for old, new in found.both}
    for change in changes:
        gone = change.operation in (Operation.DELETE, Operation.REPLACE)
        if gone and change.urn in options and options[change.urn].protect:
            text = f"{change.kind} {change.name} is protected: an apply refuses to {change.operation.value} it"
            yield Diagnostic("error", text, change.urn)
    yield from _under_one_name(changes)


def _under_one_name(changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """One object in the cluster that two resources of the program mean: what is created first is deleted then."""
    deleted = {_identity(change.before): change for change in changes if change.operation is Operation.DELETE}
    for change in changes:
        other = deleted.get(_identity(change.after)) if change.operation is Operation.CREATE else None
        if other is not None and _identity(change.after) is not None:
            text = (
                f"{change.kind} {change.name} is {other.name} under another name in the program: an apply would create "
                f"what is there and then delete it; give it an alias"
            )
            yield Diagnostic("warning", text, change.urn)


def _identity(inputs: Mapping[str, Any]) -> tuple[Any, ...] | None:
    metadata = inputs.get("metadata") or {}
    if not metadata.get("name"):
        return None
    return inputs.get("apiVersion"), inputs.get("kind"), metadata.get("namespace"), metadata["name"]
