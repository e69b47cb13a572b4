"""The annotations under `pulumi.com/` that steer the provider, read from an object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from cli.provider.values import plain

SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
PATCH_FORCE = "pulumi.com/patchForce"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"

DEFAULT_TIMEOUT = 600.0
LEAVES = frozenset(
    (
        *("ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
        *("NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "LimitRange", "ResourceQuota", "Ingress"),
        *("IngressClass", "PriorityClass", "StorageClass", "RuntimeClass", "Lease", "ValidatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    )
)
"""Kinds that own nothing: there is no dependent to delete first, and not asking for it spares the garbage collector's
round trip."""


def value(obj: Mapping[str, Any], key: str) -> str:
    """An annotation's text, empty where it is missing or not known yet."""
    metadata = plain(obj.get("metadata"))
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = annotations.get(key) if isinstance(annotations, dict) else None
    return text if isinstance(text, str) else ""


def is_true(obj: Mapping[str, Any], key: str) -> bool:
    return value(obj, key) == "true"


def timeout(obj: Mapping[str, Any], custom: float, default: float = DEFAULT_TIMEOUT) -> float:
    """Seconds to wait: the resource's customTimeouts, else its annotation, else the default of its kind."""
    text = value(obj, TIMEOUT)
    return custom or (float(text) if text.isdigit() else default)


def propagation(obj: Mapping[str, Any]) -> Literal["Foreground", "Background", "Orphan"]:
    """How a deletion goes on to dependents; in the foreground where there can be any, unless it says otherwise."""
    chosen = value(obj, PROPAGATION).lower()
    if chosen == "orphan":
        return "Orphan"
    return "Background" if chosen == "background" or (not chosen and obj.get("kind") in LEAVES) else "Foreground"


def wait_for(obj: Mapping[str, Any]) -> list[str]:
    """The expressions of `pulumi.com/waitFor`: one, or a JSON list of them."""
    text = value(obj, WAIT_FOR)
    if not text:
        return []
    try:
        parsed = json.loads(text)
    except ValueError:
        return [text]
    return [str(item) for item in parsed] if isinstance(parsed, list) else [text]
