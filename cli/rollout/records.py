"""A release record: the whole objects of the app stack as they were applied, kept compressed in the cluster.

It is written by the program (`components`), immutable and named by its content; here it is read. Layout: one ConfigMap
`release-<hash>`, or pieces `release-<hash>.0`, `.1`, … each under the object size limit; together their
`binaryData.record` is the gzip of one JSON document.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.errors import TurnoutError
from cli.rollout.control import Manifest, namespace
from components.names import ENVIRONMENT, KIND, PIECES, RELEASE_RECORD
from components.tracks import template_hash

if TYPE_CHECKING:
    from cli.kube.client import Kube

SCHEMA = 3
"""The newest that is read; older ones are read as well."""
ENTRIES_SINCE = 3
"""The first schema whose records hold what leads to services."""
MERGED = "turnout.dev/merged"
"""Label of a record that no program wrote: a rollback of some services put it together."""


@dataclass(frozen=True)
class Workload:
    """One thing that runs: `name` as the settings call it, `object` as Kubernetes does, on the first track.

    `template`: the hash of a Deployment's pod template. `calls`: what it depends on, by name. `replicas`: the least
    number of copies that the settings asked for; 0 where the record is too old to say.
    """

    name: str
    kind: str
    namespace: str
    object: str
    images: tuple[str, ...] = ()
    strategy: str = "rolling"
    calls: tuple[str, ...] = ()
    template: str = ""
    replicas: int = 0


@dataclass(frozen=True)
class Step:
    """A job that ran once for the release: `when` is before or after its services.

    `run`: its Job's name, by content: two releases with the same one share the run.
    """

    name: str
    when: str = "before"
    reversible: bool = True
    run: str = ""


@dataclass(frozen=True)
class Record:
    """What a rollback restores. `pulumi` maps `namespace/kind/name` to the resource's name in the state.

    `entries`: Services and HTTPRoutes, as they lead to the first track.
    """

    name: str
    environment: str
    objects: tuple[Manifest, ...]
    workloads: tuple[Workload, ...]
    pulumi: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA
    steps: tuple[Step, ...] = ()
    entries: tuple[Manifest, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "schema": self.schema,
            "environment": self.environment,
            "objects": list(self.objects),
            "entries": list(self.entries),
            "workloads": [
                vars(workload) | {"images": list(workload.images), "calls": list(workload.calls)}
                for workload in self.workloads
            ],
            "steps": [vars(step) for step in self.steps],
            "pulumi": dict(self.pulumi),
        }


def decode(pieces: Sequence[Manifest]) -> Record:
    """The record in its ConfigMaps, in any order."""
    ordered = sorted(pieces, key=_index)
    name = base_name(ordered[0]["metadata"]["name"])
    _complete(name, ordered)
    document = _unpack(name, ordered)
    _readable(name, document["schema"])
    return Record(
        name=name,
        schema=document["schema"],
        environment=document["environment"],
        objects=tuple(document["objects"]),
        workloads=tuple(_workload(row, document["objects"]) for row in document["workloads"]),
        pulumi=document.get("pulumi") or {},
        steps=tuple(Step(**row) for row in document.get("steps") or ()),
        entries=tuple(document.get("entries") or ()),
    )


def grouped(maps: Iterable[Manifest]) -> dict[str, list[Manifest]]:
    """Record name → its pieces."""
    groups: dict[str, list[Manifest]] = defaultdict(list)
    for piece in maps:
        groups[base_name(piece["metadata"]["name"])].append(piece)
    return dict(groups)


def base_name(name: str) -> str:
    return name.partition(".")[0]


def listed(kube: Kube, environment: str) -> dict[str, list[Manifest]]:
    """The pieces of every record of an environment."""
    selector = f"{KIND}={RELEASE_RECORD},{ENVIRONMENT}={environment}"
    return grouped(kube.list("v1", "ConfigMap", namespace(environment), labels=selector))


def fetch(kube: Kube, environment: str, name: str) -> Record:
    """One record; its pieces are found by name, so that nothing else is read."""
    first = kube.find("v1", "ConfigMap", name, namespace(environment))
    if first and _count(first) == 1:
        return decode([first])
    pieces = [first] if first else []
    index = len(pieces) and 1
    while piece := kube.find("v1", "ConfigMap", f"{name}.{index}", namespace(environment)):
        pieces.append(piece)
        index += 1
    if not pieces:
        raise TurnoutError(
            f"release record {name} is gone from namespace {namespace(environment)}",
            why="somebody deleted the ConfigMap, or it was pruned",
            next=f"turnout status {environment}",
        )
    return decode(pieces)


def _index(piece: Manifest) -> int:
    suffix = piece["metadata"]["name"].partition(".")[2]
    return int(suffix) if suffix.isdigit() else 0


def _count(piece: Manifest) -> int:
    return int((piece["metadata"].get("annotations") or {}).get(PIECES, "1"))


def _complete(name: str, pieces: Sequence[Manifest]) -> None:
    stated = _count(pieces[0])
    if stated > len(pieces):
        raise TurnoutError(
            f"release record {name} is incomplete: {len(pieces)} of {stated} pieces are there",
            why="somebody deleted one of its ConfigMaps",
            next="choose another release: turnout rollback ENV --to N",
        )


def _unpack(name: str, pieces: Sequence[Manifest]) -> dict[str, Any]:
    try:
        packed = b"".join(base64.b64decode(piece["binaryData"]["record"], validate=True) for piece in pieces)
        document: dict[str, Any] = json.loads(gzip.decompress(packed))
    except (KeyError, ValueError, EOFError, OSError, binascii.Error) as error:
        raise TurnoutError(
            f"release record {name} cannot be read",
            why=f"its content is damaged ({type(error).__name__})",
            next="choose another release: turnout rollback ENV --to N",
        ) from error
    return document


def _readable(name: str, schema: int) -> None:
    if schema > SCHEMA:
        raise TurnoutError(
            f"release record {name} has schema {schema}; this turnout reads up to {SCHEMA}",
            why="it was written by a newer turnout",
            next="update your checkout of turnout, then run the same command again",
        )


def _workload(row: Mapping[str, Any], objects: Sequence[Manifest]) -> Workload:
    return Workload(
        name=row["name"],
        kind=row["kind"],
        namespace=row["namespace"],
        object=row["object"],
        images=tuple(row.get("images") or ()),
        strategy=row.get("strategy", "rolling"),
        calls=tuple(row.get("calls") or ()),
        template=row.get("template") or _template(row, objects),
        replicas=row.get("replicas", 0),
    )


def _template(row: Mapping[str, Any], objects: Sequence[Manifest]) -> str:
    """Of a record from before templates were written down."""
    place = ("Deployment", row["namespace"], row["object"])
    found = (each for each in objects if _place(each) == place)
    return next((template_hash(each) for each in found), "")


def _place(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]
