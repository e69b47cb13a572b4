"""What an apply did, told by the API server alone: objects read before and after, and what differs between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cli.engine import values
from cli.kube.client import Kube
from cli.rollout import moves

_SERVERS: Final = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink")
_CONTROLLERS: Final = ("deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation", moves.FENCE)
_STATUS: Final = "status"

Address = tuple[str, str]
"""Kind, and `namespace/name`."""


@dataclass(frozen=True)
class Done:
    """What happened to one object. For an update, `paths`: what differs, and `now`: the object as it is since."""

    operation: str
    paths: tuple[values.Path, ...] = ()
    now: Mapping[str, Any] = field(default_factory=dict, repr=False)


def address(resource: Mapping[str, Any]) -> Address:
    """Of a Kubernetes object in the state."""
    return resource["type"].rsplit(":", 1)[-1], resource["id"]


def read(kube: Kube, resources: Iterable[Mapping[str, Any]]) -> dict[Address, dict[str, Any]]:
    """The objects that those resources of a state speak of, as far as they exist: each kind of a namespace at once."""
    wanted: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for resource in resources:
        namespace, _, name = resource["id"].rpartition("/")
        wanted[resource["inputs"]["apiVersion"], resource["inputs"]["kind"], namespace].add(name)
    return {
        (kind, f"{namespace}/{there['metadata']['name']}" if namespace else there["metadata"]["name"]): there
        for (version, kind, namespace), names in wanted.items()
        for there in kube.list(version, kind, namespace or None)
        if there["metadata"]["name"] in names
    }


def done(before: Mapping[Address, dict[str, Any]], after: Mapping[Address, dict[str, Any]]) -> dict[Address, Done]:
    """Everything that is not as it was, but for what autoscalers count."""
    scaled = {("Deployment", name) for kind, name in {*before, *after} if kind == "HorizontalPodAutoscaler"}
    sides = [
        {place: _uncounted(there) if place in scaled else there for place, there in side.items()}
        for side in (before, after)
    ]
    changed = {place: _between(sides[0].get(place), sides[1].get(place)) for place in {*before, *after}}
    return {place: what for place, what in changed.items() if what is not None}


def _uncounted(there: dict[str, Any]) -> dict[str, Any]:
    return {**there, "spec": {key: value for key, value in there["spec"].items() if key != "replicas"}}


def _between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Done | None:
    if before is None:
        return Done("create")
    if after is None:
        return Done("delete")
    if before["metadata"]["uid"] != after["metadata"]["uid"]:
        return Done("replace")
    paths = tuple(path for path, _, _ in values.differences(_own(before), _own(after)))
    return Done("update", paths, _own(after)) if paths else None


def _own(seen: dict[str, Any]) -> dict[str, Any]:
    """Without what the server and its controllers write."""
    metadata = {key: value for key, value in seen["metadata"].items() if key not in _SERVERS}
    notes = {key: value for key, value in metadata.get("annotations", {}).items() if key not in _CONTROLLERS}
    return {
        **{key: value for key, value in seen.items() if key != _STATUS},
        "metadata": {**metadata, "annotations": notes},
    }
