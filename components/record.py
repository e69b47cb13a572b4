"""A release record: whole objects, compressed, named by content, in pieces under the object size limit. Pure.

It holds `objects` (as applied, less Secrets), `secrets` (names only), `workloads`, and `pulumi` (each object's resource
name): all that a rollback, and the settling of the state after it, need. Loads without Pulumi.
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

SCHEMA: Final = 1
KIND_LABEL: Final = "turnout.dev/kind"
KIND: Final = "release-record"
PIECE_BYTES: Final = 700_000
"""Of compressed data in one ConfigMap: base64 and metadata on top stay under the server's limit of 1 MiB."""

_LEFT_OUT: Final = frozenset({"Service", "Job", "Secret"})
"""Services are not a release's: their selector moves by itself. Jobs have run. Of Secrets only names are kept."""
_RUNNING: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "CronJob"})
_NAME_LABEL: Final = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Record:
    """One release as stored. `name` is the same for the same content."""

    name: str
    manifests: list[Manifest]


def encode(environment: str, namespace: str, manifests: Sequence[Manifest], labels: Mapping[str, str]) -> Record:
    """The record of a release that consists of `manifests`, to be kept in `namespace`."""
    packed = gzip.compress(_canonical(describe(environment, manifests)), compresslevel=9, mtime=0)
    # Of what is stored, not of what it means: two compressors must never disagree over one immutable object.
    name = f"release-{hashlib.sha256(packed).hexdigest()[:12]}"
    pieces = list(_pieces(packed))
    images = sorted({image for workload in _workloads(manifests) for image in workload["images"]})
    notes = {
        "turnout.dev/schema": str(SCHEMA),
        "turnout.dev/pieces": str(len(pieces)),
        "turnout.dev/images": json.dumps(images, separators=(",", ":")),
    }
    names = [name] if len(pieces) == 1 else [f"{name}.{at}" for at in range(len(pieces))]
    marked = {**labels, KIND_LABEL: KIND}
    return Record(name, [_piece(*each, namespace, marked, notes) for each in zip(names, pieces, strict=True)])


def decode(pieces: Iterable[Manifest]) -> dict[str, Any]:
    """The record's content from its ConfigMaps, in any order. ValueError: a piece is missing, or the schema unknown."""
    found = sorted(pieces, key=lambda piece: _piece_number(piece["metadata"]["name"]))
    wanted = int(found[0]["metadata"]["annotations"]["turnout.dev/pieces"]) if found else 1
    if len(found) != wanted:
        raise ValueError(f"the record has {wanted} pieces, of which {len(found)} are there")
    packed = b"".join(base64.b64decode(piece["binaryData"]["record"]) for piece in found)
    content: dict[str, Any] = json.loads(gzip.decompress(packed))
    if content["schema"] != SCHEMA:
        raise ValueError(f"the record has schema {content['schema']}, this turnout reads {SCHEMA}")
    return content


def describe(environment: str, manifests: Sequence[Manifest]) -> dict[str, Any]:
    """The record's content."""
    kept = [stamped(manifest) for manifest in manifests if manifest["kind"] not in _LEFT_OUT]
    return {
        "schema": SCHEMA,
        "environment": environment,
        "objects": kept,
        "secrets": sorted(manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Secret"),
        "workloads": _workloads(manifests),
        "pulumi": {key(manifest): resource_name(manifest) for manifest in kept},
    }


def key(manifest: Manifest) -> str:
    """`NAMESPACE/KIND/NAME`."""
    metadata = manifest["metadata"]
    return f"{metadata.get('namespace', '')}/{manifest['kind']}/{metadata['name']}"


def _workloads(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    return [
        {
            "name": manifest["metadata"]["labels"][_NAME_LABEL],
            "kind": manifest["kind"],
            "namespace": manifest["metadata"]["namespace"],
            "object": manifest["metadata"]["name"],
            "images": _images(manifest),
        }
        for manifest in manifests
        if manifest["kind"] in _RUNNING
    ]


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
