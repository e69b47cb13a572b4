"""A release record: whole objects, compressed, named by content, in pieces under the object size limit. Pure.

It holds `objects` (as the settings ask for them on the first track, less Secrets), `entries` (Services and HTTPRoutes,
likewise), `secrets` (names only), `workloads`, `steps` (jobs that run once) and `pulumi` (each object's resource name):
all that a rollback, and the settling of the state after it, need. The same release on either track is the same record.
Loads without Pulumi.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.manifest import Manifest, resource_name, stamped
from components.names import KIND as KIND_LABEL
from components.names import PIECES, WORKLOAD
from components.names import RELEASE_RECORD as KIND
from components.tracks import ROUTED, template_hash
from components.workload.scaling import least_copies
from components.workload.spec import Workloads, WorkloadSpec

SCHEMA: Final = 3
"""Of what is written. 2 had no `entries`, 1 neither `steps` nor a workload's strategy, calls, template and replicas:
both are read too."""
PIECE_BYTES: Final = 700_000
"""Of compressed data in one ConfigMap: base64 and metadata on top stay under the server's limit of 1 MiB."""

_LEFT_OUT: Final = frozenset({"Job", "Secret"})
"""Jobs have run. Of Secrets only names are kept."""
_RUNNING: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "CronJob"})


@dataclass(frozen=True)
class Record:
    """One release as stored. `name` is the same for the same content."""

    name: str
    manifests: list[Manifest]


def encode(
    environment: str,
    namespace: str,
    manifests: Sequence[Manifest],
    labels: Mapping[str, str],
    specs: Sequence[WorkloadSpec] = (),
) -> Record:
    """The record of a release that consists of `manifests`, to be kept in `namespace`. `specs`: what they render."""
    return stored(describe(environment, manifests, specs), namespace, labels)


def stored(content: Mapping[str, Any], namespace: str, labels: Mapping[str, str]) -> Record:
    """The record with that content (see `describe`)."""
    packed = gzip.compress(_canonical(content), compresslevel=9, mtime=0)
    # Of what is stored, not of what it means: two compressors must never disagree over one immutable object.
    name = f"release-{hashlib.sha256(packed).hexdigest()[:12]}"
    pieces = list(_pieces(packed))
    images = sorted({image for workload in content["workloads"] for image in workload["images"]})
    notes = {
        "turnout.dev/schema": str(SCHEMA),
        PIECES: str(len(pieces)),
        "turnout.dev/images": json.dumps(images, separators=(",", ":")),
    }
    names = [name] if len(pieces) == 1 else [f"{name}.{at}" for at in range(len(pieces))]
    marked = {**labels, KIND_LABEL: KIND}
    return Record(name, [_piece(*each, namespace, marked, notes) for each in zip(names, pieces, strict=True)])


def decode(pieces: Iterable[Manifest]) -> dict[str, Any]:
    """The record's content from its ConfigMaps, in any order. ValueError: a piece is missing, or the schema unknown."""
    found = sorted(pieces, key=lambda piece: _piece_number(piece["metadata"]["name"]))
    wanted = int(found[0]["metadata"]["annotations"][PIECES]) if found else 1
    if len(found) != wanted:
        raise ValueError(f"the record has {wanted} pieces, of which {len(found)} are there")
    packed = b"".join(base64.b64decode(piece["binaryData"]["record"]) for piece in found)
    content: dict[str, Any] = json.loads(gzip.decompress(packed))
    if content["schema"] > SCHEMA:
        raise ValueError(f"the record has schema {content['schema']}, this turnout reads up to {SCHEMA}")
    return content


def describe(environment: str, manifests: Sequence[Manifest], specs: Sequence[WorkloadSpec] = ()) -> dict[str, Any]:
    """The record's content."""
    kept = [stamped(manifest) for manifest in manifests if manifest["kind"] not in _LEFT_OUT]
    objects = [manifest for manifest in kept if manifest["kind"] not in ROUTED]
    return {
        "schema": SCHEMA,
        "environment": environment,
        "objects": objects,
        # Apart: what of them sends traffic is not a release's, it moves by itself.
        "entries": [manifest for manifest in kept if manifest["kind"] in ROUTED],
        "secrets": sorted(manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Secret"),
        "workloads": _workloads(manifests, specs),
        "steps": [_step(spec, manifests) for spec in specs if spec.runs == "once"],
        "pulumi": {key(manifest): resource_name(manifest) for manifest in kept},
    }


def key(manifest: Manifest) -> str:
    """`NAMESPACE/KIND/NAME`."""
    metadata = manifest["metadata"]
    return f"{metadata.get('namespace', '')}/{manifest['kind']}/{metadata['name']}"


def _workloads(manifests: Sequence[Manifest], specs: Sequence[WorkloadSpec]) -> list[dict[str, Any]]:
    by_name = {spec.name: spec for spec in specs}
    return [_workload(each, by_name) for each in manifests if each["kind"] in _RUNNING]


def _workload(manifest: Manifest, specs: Mapping[str, WorkloadSpec]) -> dict[str, Any]:
    name = manifest["metadata"]["labels"][WORKLOAD]
    found = {
        "name": name,
        "kind": manifest["kind"],
        "namespace": manifest["metadata"]["namespace"],
        "object": manifest["metadata"]["name"],
        "images": _images(manifest),
    }
    hashed = {"template": template_hash(manifest)} if manifest["kind"] == "Deployment" else {}
    return found | hashed | (_facts(specs[name]) if name in specs else {})


def _facts(spec: WorkloadSpec) -> dict[str, Any]:
    called = [call.target for call in spec.calls]
    return {
        "strategy": spec.strategy,
        "calls": sorted({peer.name for peer in called if isinstance(peer, Workloads) and peer.name and not peer.stack}),
        "replicas": least_copies(spec),
    }


def _step(spec: WorkloadSpec, manifests: Sequence[Manifest]) -> dict[str, Any]:
    """`run`: the Job's own name, which is another one whenever it ran anew."""
    jobs = (each["metadata"] for each in manifests if each["kind"] == "Job")
    run = next((job["name"] for job in jobs if job["labels"][WORKLOAD] == spec.name), "")
    return {"name": spec.name, "when": spec.when, "reversible": spec.reversible, "run": run}


def _images(manifest: Manifest) -> list[str]:
    spec = manifest["spec"]["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else manifest["spec"]
    return [container["image"] for container in spec["template"]["spec"]["containers"]]


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _pieces(packed: bytes) -> Iterable[bytes]:
    return (packed[start : start + PIECE_BYTES] for start in range(0, len(packed), PIECE_BYTES))


def _piece(
    name: str, data: bytes, namespace: str, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels), "annotations": dict(annotations)},
        "binaryData": {"record": base64.b64encode(data).decode()},
        "immutable": True,
    }


def _piece_number(name: str) -> int:
    number = name.rpartition(".")[2]
    return int(number) if number.isdigit() else 0
