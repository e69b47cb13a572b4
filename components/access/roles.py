"""The roles of an environment as manifests, and the bindings of those whom the settings name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from components.access.rights import ROLES, Grant, Place, RoleName, of_role
from components.environment import Environment
from components.manifest import Manifest
from components.rollout.settings import AccessSettings

_GROUP: Final = "rbac.authorization.k8s.io"
_API: Final = f"{_GROUP}/v1"
COMPONENT: Final = "access"


def role_name(role: RoleName) -> str:
    """Its name in each of the environment's namespaces."""
    return f"turnout-{role}"


def cluster_role_name(environment: str, role: RoleName) -> str:
    return f"turnout-{environment}-{role}"


def manifests(environment: Environment, access: AccessSettings) -> Iterator[Manifest]:
    """Every role, and a binding of each for the subjects that `access` has for it."""
    bound_to = access.model_dump(by_alias=True)
    for role in ROLES:
        for place, rules in rules_of(role).items():
            metadata = _metadata(role, place, environment)
            kind = "ClusterRole" if place == "cluster" else "Role"
            yield {"apiVersion": _API, "kind": kind, "metadata": metadata, "rules": rules}
            if subjects := [subject(text) for text in bound_to[role]]:
                reference = {"apiGroup": _GROUP, "kind": kind, "name": metadata["name"]}
                bound = {"roleRef": reference, "subjects": subjects}
                yield {"apiVersion": _API, "kind": f"{kind}Binding", "metadata": metadata, **bound}


def rules_of(role: RoleName) -> dict[Place, list[dict[str, Any]]]:
    """Where the role has rights, and which: as the rules of a Role."""
    granted = of_role(role)
    found = {place: _rules([grant for grant in granted if grant.place == place]) for place in get_args(Place)}
    return {place: rules for place, rules in found.items() if rules}


def subject(text: str) -> dict[str, str]:
    """`Group:sre`, `User:anna@example.com` or `ServiceAccount:ci/deployer` as RBAC has it. ValueError: no such."""
    kind, _, name = text.partition(":")
    if kind in ("Group", "User") and name:
        return {"apiGroup": _GROUP, "kind": kind, "name": name}
    namespace, _, account = name.partition("/")
    if kind == "ServiceAccount" and namespace and account:
        return {"kind": kind, "namespace": namespace, "name": account}
    raise ValueError(f"{text!r} is not Group:NAME, User:NAME or ServiceAccount:NAMESPACE/NAME")


def _rules(grants: Sequence[Grant]) -> list[dict[str, Any]]:
    """One rule for all resources of a group that have the same verbs."""
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for grant in grants:
        for resource in grant.resources:
            known = verbs.setdefault((grant.group, resource, grant.names), [])
            known += [verb for verb in grant.verbs if verb not in known]
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, resource, names), allowed in verbs.items():
        alike.setdefault((group, tuple(allowed), names), []).append(resource)
    return [_rule(group, resources, allowed, names) for (group, allowed, names), resources in alike.items()]


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
    return rule | ({"resourceNames": list(names)} if names else {})


def _metadata(role: RoleName, place: Place, environment: Environment) -> dict[str, Any]:
    if place == "cluster":
        name = cluster_role_name(environment.name, role)
        return {"name": name, "labels": environment.place("control", COMPONENT).labels(name)}
    placement = environment.place(place, COMPONENT)
    name = role_name(role)
    return {"name": name, "namespace": placement.namespace, "labels": placement.labels(name)}
