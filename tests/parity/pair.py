"""What a pair is: the resources of a program before and after a change, as data."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Manifest = dict[str, Any]
NAMESPACE = "NAMESPACE"
"""Stands in every text of a pair for the namespace that a run has for itself."""


@dataclass(frozen=True)
class Hidden:
    """A value that the program marks as a secret."""

    value: Any


@dataclass(frozen=True)
class Later:
    """The id of another resource of the same pair: unknown in a preview as long as that one is to be created."""

    of: str


@dataclass(frozen=True)
class Resource:
    """One resource as a program declares it. `provider` names one of `stack.PROVIDERS`."""

    name: str
    manifest: Manifest
    token: str = ""
    provider: str = "plain"
    ignore: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    read: str = ""
    """The id of an object that is only read (`get`)."""


@dataclass(frozen=True)
class Move:
    """What another manager does to an object between `before` and `after`."""

    of: Manifest
    body: Manifest
    manager: str = "somebody-else"


@dataclass(frozen=True)
class Pair:
    """`there`: objects that another manager made beforehand. `moves` come between `before` and `after`."""

    name: str
    before: Sequence[Resource]
    after: Sequence[Resource]
    there: Sequence[Manifest] = ()
    moves: Sequence[Move] = ()


def change(name: str, before: Manifest, edits: Mapping[str, Any] | None = None, **options: Any) -> Pair:
    """A pair of one resource whose manifest is edited."""
    there, moves = options.pop("there", ()), options.pop("moves", ())
    first = Resource(name, before, **options)
    return Pair(name, [first], [replace(first, manifest=edited(before, edits or {}))], there, moves)


GONE: Any = object()
"""As an edit's value: the key is taken out."""


def edited(manifest: Manifest, edits: Mapping[str, Any]) -> Manifest:
    """A copy with each value at its path; steps are parted by `/`, a number is a position in a list."""
    new = copy.deepcopy(manifest)
    for path, value in edits.items():
        *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        at: Any = new
        for step in parents:
            at = at.setdefault(step, {}) if isinstance(step, str) else at[step]
        if value is GONE:
            del at[last]
        elif isinstance(last, int) and last == len(at):
            at.append(value)
        else:
            at[last] = value
    return new


def token(manifest: Manifest) -> str:
    """Pulumi's type of a manifest."""
    version = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


def placed(value: Any, namespace: str) -> Any:
    """The value with the run's own namespace in it."""
    if isinstance(value, str):
        return value.replace(NAMESPACE, namespace)
    if isinstance(value, dict):
        return {placed(key, namespace): placed(item, namespace) for key, item in value.items()}
    if isinstance(value, list):
        return [placed(item, namespace) for item in value]
    if isinstance(value, Hidden):
        return Hidden(placed(value.value, namespace))
    return value


def unplaced(value: Any, namespace: str) -> Any:
    """As it would be in any other namespace."""
    return json.loads(json.dumps(value).replace(namespace, NAMESPACE))
