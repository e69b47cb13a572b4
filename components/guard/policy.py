"""A ValidatingAdmissionPolicy with its binding, as one environment has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.environment import Placement
from components.manifest import Manifest

ANCHOR: Final = "turnout-anchor"

_API: Final = "admissionregistration.k8s.io/v1"
_PARAMS: Final = {"apiVersion": "v1", "kind": "ConfigMap"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which requests a policy looks at."""

    group: str
    resources: tuple[str, ...]
    operations: tuple[str, ...]

    def to_manifest(self) -> dict[str, Any]:
        return {
            "apiGroups": [self.group],
            "apiVersions": ["v1"],
            "operations": list(self.operations),
            "resources": list(self.resources),
        }


@dataclass(frozen=True, kw_only=True)
class Check:
    """What must hold (CEL), and what is said where it does not (CEL as well: one line of text)."""

    expression: str
    message: str

    def to_manifest(self) -> dict[str, Any]:
        return {"expression": self.expression, "messageExpression": self.message, "reason": "Forbidden"}


def policy(
    name: str,
    place: Placement,
    *,
    namespace: str,
    rules: Sequence[Rule],
    variables: Mapping[str, str],
    checks: Sequence[Check],
    conditions: Mapping[str, str] | None = None,
    params: str = "",
) -> list[Manifest]:
    """`turnout-ENV-<name>` for requests in `namespace`. `params`: a ConfigMap of the control namespace; while there is
    none, nothing is refused."""
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "resourceRules": [rule.to_manifest() for rule in rules],
        },
        "variables": [{"name": key, "expression": text} for key, text in variables.items()],
        "validations": [check.to_manifest() for check in checks],
    }
    if conditions:
        spec["matchConditions"] = [{"name": key, "expression": text} for key, text in conditions.items()]
    if params:
        spec["paramKind"] = dict(_PARAMS)
    metadata = {"name": f"turnout-{place.environment}-{name}", "labels": place.labels(name)}
    return [
        {"apiVersion": _API, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": spec},
        {
            "apiVersion": _API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata,
            "spec": _bound(metadata["name"], place, params),
        },
    ]


def anchor() -> list[Manifest]:
    """A policy with its binding that match nothing: one for the whole cluster, and nobody deletes it.

    Once no binding names ConfigMaps as parameters, an API server stops reading them for as long as it runs, and every
    policy that comes later takes its parameters for missing (kubernetes/kubernetes#130887, open in 1.36).
    """
    metadata = {"name": ANCHOR, "labels": {"app.kubernetes.io/managed-by": "turnout"}}
    nowhere = {"matchLabels": {"turnout.dev/never": "true"}}
    rule = Rule(group="turnout.dev", resources=("nothings",), operations=("CREATE",))
    spec = {
        "failurePolicy": "Ignore",
        "paramKind": dict(_PARAMS),
        "matchConstraints": {"namespaceSelector": nowhere, "resourceRules": [rule.to_manifest()]},
        "validations": [{"expression": "true"}],
    }
    bound = {
        "policyName": ANCHOR,
        "paramRef": {"name": ANCHOR, "namespace": "default", "parameterNotFoundAction": "Allow"},
        "validationActions": ["Deny"],
    }
    return [
        {"apiVersion": _API, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": spec},
        {"apiVersion": _API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": metadata, "spec": bound},
    ]


def _bound(name: Any, place: Placement, params: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"policyName": name, "validationActions": ["Deny"]}
    if params:
        spec["paramRef"] = {
            "name": params,
            "namespace": place.namespaces.control,
            "parameterNotFoundAction": "Allow",
        }
    return spec
