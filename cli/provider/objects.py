"""What is sent for an object and what is recorded of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cli.kube import ownership
from cli.kube.requests import Object
from cli.provider import marks, paths
from cli.provider.values import Properties

PROVIDER_CREATORS = ("pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes")
SERVER_SIDE = ("status",)
SERVER_METADATA = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink")
NOISE = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")


@dataclass(frozen=True)
class Outcome:
    """How work on an object ended; `reasons` is empty when all is well."""

    live: Object
    reasons: Sequence[str] = ()


def leave_to_others(inputs: Object, live: Object, ignore: Iterable[str], manager: str) -> Object:
    """The inputs less each ignored field that only other managers own; any other ignored field keeps its live value.

    So an update for another reason neither takes such a field back nor meets a conflict, and does not unset it either.
    """
    fields = live["metadata"].get("managedFields") or []
    for text in ignore:
        for path in filter(None, paths.expand(inputs, paths.parse(text))):
            if ownership.is_of_others(fields, path, manager):
                inputs = paths.drop(inputs, path)
            elif (value := paths.get(live, path)) is not None:
                inputs = paths.put(inputs, path, value)
    return inputs


def kept_as_is(inputs: Object, live: Object, ignore: Iterable[str]) -> Object:
    """The inputs with each ignored field as it is in the live object."""
    for text in ignore:
        for path in filter(None, paths.expand(inputs, paths.parse(text))):
            value = paths.get(live, path)
            inputs = paths.drop(inputs, path) if value is None else paths.put(inputs, path, value)
    return inputs


def must_force(inputs: Object, live: Object | None, always: bool, dry_run: bool) -> bool:
    """Whether an apply takes fields from other managers: when asked to, or where the conflict would be no real one.

    A preview comes before the hand-over of managed fields: a provider's own creation entry must not stand in its way.
    """
    if always or marks.is_true(inputs, marks.PATCH_FORCE):
        return True
    if live is None:
        return dry_run
    entries = live["metadata"].get("managedFields") or []
    if not entries:
        return True
    return dry_run and any(row["operation"] == "Update" and row["manager"] in PROVIDER_CREATORS for row in entries)


def foretold(obj: Object) -> Object:
    """A dry run's answer less what only the real one can tell."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVER_METADATA}
    return {**{key: value for key, value in obj.items() if key not in SERVER_SIDE}, "metadata": metadata}


def importable(live: Object) -> Properties:
    """The inputs of an object that was never declared: all of it, less what only the server sets."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVER_METADATA}
    notes = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key not in NOISE}
    if notes:
        metadata["annotations"] = notes
    return {**{key: value for key, value in live.items() if key not in SERVER_SIDE}, "metadata": metadata}
