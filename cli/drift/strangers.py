"""Objects in the environment's namespaces that nobody declared. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cli.drift import managed
from cli.drift.declared import Declared
from cli.drift.managed import Claim
from cli.drift.model import Author, Place, Stranger
from components.manifest import CONTENT_LABEL
from components.names import KIND

Object = Mapping[str, Any]

LOOKED_AT: Final = (
    *(("v1", kind) for kind in ("ConfigMap", "LimitRange", "PersistentVolumeClaim", "Pod", "ReplicationController")),
    *(("v1", kind) for kind in ("ResourceQuota", "Secret", "Service", "ServiceAccount")),
    *(("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    *(("batch/v1", kind) for kind in ("CronJob", "Job")),
    *(("networking.k8s.io/v1", kind) for kind in ("Ingress", "NetworkPolicy")),
    ("policy/v1", "PodDisruptionBudget"),
    *(("rbac.authorization.k8s.io/v1", kind) for kind in ("Role", "RoleBinding")),
)
"""Kinds that somebody may have put there by hand. Custom kinds are looked at where the environment declares them."""

_WELL_KNOWN: Final = (
    *(("ConfigMap", name) for name in ("kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert")),
    ("ServiceAccount", "default"),
    ("Service", "kubernetes"),
)
_TOKEN: Final = "kubernetes.io/service-account.name"


def strangers(found: Iterable[Object], declared: Iterable[Declared]) -> tuple[Stranger, ...]:
    """Those of the objects that are nobody's: not declared, not made by a controller, not turnout's own notes."""
    everything = list(declared)
    known = {(one.place.kind, one.place.namespace, one.place.name) for one in everything}
    claimed = list(_volumes(everything))
    rows = (row for row in found if _key(row) not in known and not _is_explained(row, claimed))
    return tuple(sorted(map(_stranger, rows), key=lambda one: (one.place.namespace, one.place.kind, one.place.name)))


def _is_explained(row: Object, claimed: list[tuple[str, re.Pattern[str]]]) -> bool:
    kind, namespace, name = _key(row)
    metadata = row["metadata"]
    labels = metadata.get("labels") or {}
    return bool(
        metadata.get("ownerReferences")
        or (kind, name) in _WELL_KNOWN
        or KIND in labels
        or (CONTENT_LABEL in labels and kind in ("ConfigMap", "Secret", "Job"))
        or _TOKEN in (metadata.get("annotations") or {})
        or (kind == "PersistentVolumeClaim" and any(at == namespace and name_.fullmatch(name) for at, name_ in claimed))
    )


def _volumes(declared: Iterable[Declared]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The claims that a StatefulSet makes for its pods."""
    for one in declared:
        if one.place.kind == "StatefulSet":
            for template in (one.manifest.get("spec") or {}).get("volumeClaimTemplates") or []:
                stem = re.escape(f"{template['metadata']['name']}-{one.place.name}")
                yield one.place.namespace, re.compile(rf"{stem}-\d+")


def _stranger(row: Object) -> Stranger:
    kind, namespace, name = _key(row)
    first = [claim for claim in managed.claims(row) if not claim.rank[1]]
    return Stranger(
        Place(row["apiVersion"], kind, namespace, name),
        _makers(first),
        str(row["metadata"].get("creationTimestamp") or ""),
        _note(row),
    )


def _makers(claims: list[Claim]) -> tuple[Author, ...]:
    """The oldest entry is as a rule whoever made it."""
    return managed.authors(sorted(claims, key=lambda claim: claim.author.at)[:1])


def _note(row: Object) -> str:
    target = (row.get("spec") or {}).get("scaleTargetRef") or {}
    return f"counts the pods of {target['kind']} {target['name']}" if target.get("name") else ""


def _key(row: Object) -> tuple[str, str, str]:
    metadata = row["metadata"]
    return row["kind"], metadata.get("namespace") or "", metadata["name"]
