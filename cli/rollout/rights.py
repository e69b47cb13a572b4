"""The rights of whoever runs a command: which is missing, and which role has it. The table is `components.access`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import Refused
from cli.kube.errors import Forbidden, KubeError
from cli.rollout.live import at_once
from components.access.rights import COMMANDS, Grant, Place, RoleName, allows, roles_with
from components.access.roles import cluster_role_name, role_name
from components.environment import Namespaces

if TYPE_CHECKING:
    from cli.kube.client import Kube

_REVIEWS = "/apis/authorization.k8s.io/v1/"
_CANNOT = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)


@dataclass(frozen=True)
class Right:
    """One right in one namespace (empty: in the whole cluster); `name`: of the one object that it is about."""

    place: Place
    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        resource = f"{self.resource}{'.' + self.group if self.group else ''}{' ' + self.name if self.name else ''}"
        return f"{self.verb} {resource} in {self.namespace or 'the cluster'}"

    @property
    def grant(self) -> Grant:
        return Grant(self.place, self.group, (self.resource,), (self.verb,), (self.name,) if self.name else ())

    @property
    def roles(self) -> list[RoleName]:
        return roles_with(self.grant)


def of(command: str, environment: str) -> list[Right]:
    """Every right that the command needs."""
    return list(dict.fromkeys(right for grant in COMMANDS[command] for right in _rights(grant, environment)))


def must_be_able_to_destroy(kube: Kube, environment: str) -> None:
    """Raises Refused where the namespaces would stay: all the rest would be gone by then."""
    wanted = [
        Right("cluster", "", "", "namespaces", "delete", space) for space in Namespaces.of(environment).of_workloads
    ]
    if lacking := sorted(map(str, missing(kube, wanted))):
        raise Refused(
            f"{environment} is deleted by an administrator of the cluster; nothing was touched",
            why=f"missing: {', '.join(lacking)}",
            next=f"ask an administrator to run: turnout destroy {environment}",
        )


def possible(kube: Kube, environment: str) -> dict[str, list[Right]]:
    """Each command with the rights that we lack for it."""
    needed = {command: of(command, environment) for command in COMMANDS}
    lacking = missing(kube, {right for rights in needed.values() for right in rights})
    return {command: [right for right in rights if right in lacking] for command, rights in needed.items()}


def missing(kube: Kube, wanted: Iterable[Right]) -> set[Right]:
    """Those that the API server does not grant us. Asked by namespace, and one by one only where that says no."""
    todo = set(wanted)
    spaces = sorted({right.namespace for right in todo if right.namespace})
    rules = dict(zip(spaces, at_once(lambda space: _rules(kube, space), spaces), strict=True))
    doubtful = [right for right in todo if not _granted(rules.get(right.namespace, []), right)]
    answers = at_once(lambda right: _allowed(kube, right), doubtful)
    return {right for right, allowed in zip(doubtful, answers, strict=True) if not allowed}


class Explained:
    """Adds to a 403 which right is missing and which role of the environment has it."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def __call__(self, error: KubeError) -> KubeError:
        if isinstance(error, Forbidden) and (right := refused(error.message, self._environment)):
            error.why = f"the right to {right} is missing: {error.message}"
            error.next = advice(right, self._environment)
        return error


def refused(message: str, environment: str) -> Right | None:
    """The right of which an API server says that we lack it; None for other words, and for namespaces of others."""
    match = _CANNOT.search(message)
    if match is None:
        return None
    namespace = match["namespace"] or ""
    place = _place(namespace, environment)
    return Right(place, namespace, match["group"], match["resource"], match["verb"]) if place else None


def belongs(command: str, environment: str, wanted: tuple[str, str, str, str]) -> bool:
    """Whether the right (namespace, group, resource, verb) is one that every role with this command has."""
    namespace, group, resource, verb = wanted
    place = _place(namespace, environment)
    return place is not None and allows(COMMANDS[command], Grant(place, group, (resource,), (verb,)))


def advice(right: Right, environment: str) -> str:
    """Which role to ask for, and how to check that one has it."""
    resource = f"{right.resource}{'.' + right.group if right.group else ''}"
    where = f" --namespace {right.namespace}" if right.namespace else ""
    check = f"kubectl auth can-i {right.verb} {resource}{where}"
    return f"{_whom(right, environment)}, then check it: {check}"


def _whom(right: Right, environment: str) -> str:
    named = [grant for grants in COMMANDS.values() for grant in grants if _is_about(grant, right)]
    roles = right.roles or (roles_with(named[0]) if named else [])
    if not roles:
        return "no role of turnout has it: ask an administrator of the cluster"
    name = cluster_role_name(environment, roles[0]) if right.place == "cluster" else role_name(roles[0])
    others = f" (or {', '.join(roles[1:])})" if roles[1:] else ""
    return f"ask for the role {roles[0]}{others}: turnout:rollout access in Pulumi.{environment}.yaml, or bind {name}"


def _is_about(grant: Grant, right: Right) -> bool:
    """A message does not say which object was meant, so a grant for one name of it may be the one."""
    return (grant.place, grant.group) == (right.place, right.group) and (
        right.resource in grant.resources and right.verb in grant.verbs
    )


def _rights(grant: Grant, environment: str) -> Iterable[Right]:
    namespace = "" if grant.place == "cluster" else Namespaces.of(environment).of_stack(grant.place)
    for resource in grant.resources:
        for verb in grant.verbs:
            for name in grant.names or ("",):
                yield Right(grant.place, namespace, grant.group, resource, verb, name)


def _place(namespace: str, environment: str) -> Place | None:
    if not namespace:
        return "cluster"
    spaces = Namespaces.of(environment)
    known: Mapping[str, Place] = {
        spaces.app: "app",
        spaces.monitoring: "monitoring",
        spaces.agents: "agents",
        spaces.control: "control",
    }
    return known.get(namespace)


def _rules(kube: Kube, namespace: str) -> list[Mapping[str, Any]]:
    status = _review(kube, "SelfSubjectRulesReview", {"namespace": namespace})
    found: list[Mapping[str, Any]] = status.get("resourceRules") or []
    return found


def _granted(rules: Iterable[Mapping[str, Any]], right: Right) -> bool:
    return any(
        _has(rule.get("verbs"), right.verb)
        and _has(rule.get("apiGroups"), right.group)
        and _has(rule.get("resources"), right.resource)
        and (not rule.get("resourceNames") or right.name in rule["resourceNames"])
        for rule in rules
    )


def _has(listed: list[str] | None, wanted: str) -> bool:
    return wanted in (listed or ()) or "*" in (listed or ())


def _allowed(kube: Kube, right: Right) -> bool:
    resource, _, sub = right.resource.partition("/")
    attributes = {"namespace": right.namespace, "verb": right.verb, "group": right.group, "name": right.name}
    asked = {"resourceAttributes": attributes | {"resource": resource, "subresource": sub}}
    return bool(_review(kube, "SelfSubjectAccessReview", asked).get("allowed"))


def _review(kube: Kube, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    from cli.kube.requests import Request

    body = json.dumps({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}).encode()
    path = f"{_REVIEWS}{kind.lower()}s"
    status: dict[str, Any] = kube.request(Request("POST", path, "ask for our rights", body=body)).json()["status"]
    return status
