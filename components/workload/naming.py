"""Names, labels and metadata of a workload's objects. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from components.environment import Placement
from components.manifest import CONTENT_LABEL, Manifest, revealed
from components.secret import Secret
from components.tracks import FIRST
from components.workload.spec import WorkloadSpec

_GUESSING_COST: Final = 20_000
"""Rounds of SHA-256 for each guess at a secret: 8 ms for us, once for each secret."""


def track(spec: WorkloadSpec) -> str | None:
    """The letter that a release is rendered with; None for a workload that never runs twice."""
    return FIRST if spec.tracked else None


def object_name(spec: WorkloadSpec) -> str:
    """The name of all objects that belong to one running copy of the workload: `api-a`."""
    return "-".join(filter(None, (spec.name, track(spec))))


def cluster_name(spec: WorkloadSpec, placement: Placement) -> str:
    """The name of the workload's cluster-scoped objects."""
    return f"turnout-{placement.environment}-{object_name(spec)}"


def labels(spec: WorkloadSpec, placement: Placement) -> dict[str, str]:
    return placement.labels(spec.name, track(spec))


def selector(spec: WorkloadSpec, placement: Placement) -> dict[str, str]:
    return placement.selector(spec.name, track(spec))


def manifest(
    api_version: str, kind: str, spec: WorkloadSpec, placement: Placement, /, *, name: str = "", **fields: Any
) -> Manifest:
    """A namespaced object of the workload, named after its running copy unless `name` says otherwise."""
    metadata = {
        "name": name or object_name(spec),
        "namespace": placement.namespace,
        "labels": labels(spec, placement),
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def content_hash(content: Mapping[str, Any]) -> str:
    """Ten hex digits that stand for the content; costly to guess a secret from, because names are none."""
    canonical = json.dumps(revealed(content), sort_keys=True, separators=(",", ":")).encode()
    secret = any(isinstance(value, Secret) for value in content.values())
    return _costly_digest(canonical) if secret else hashlib.sha256(canonical).hexdigest()[:10]


@lru_cache(maxsize=256)
def _costly_digest(canonical: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", canonical, b"turnout content name", _GUESSING_COST, 5).hex()


def named_by_content(made: Manifest, stem: str, content: Mapping[str, Any]) -> Manifest:
    """The manifest named `STEM-HASH`, with the hash as a label so that the stem can be told from it."""
    digest = content_hash(content)
    metadata: Mapping[str, Any] = made["metadata"]
    labelled = {**metadata["labels"], CONTENT_LABEL: digest}
    return {**made, "metadata": {**metadata, "name": f"{stem}-{digest}", "labels": labelled}}
