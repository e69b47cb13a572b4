"""Which rights each command needs, and which commands each role may run. The one table of it. Pure.

Roles are made from it (`roles.py`), and `turnout` names a missing right by it (`cli.rollout.rights`). `turnout.dev` is
a group of rights alone: no API serves it; the admission policies of `components.guard` ask for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from components.names import NOTIFY

Place = Literal["app", "monitoring", "agents", "control", "cluster"]
"""One of the environment's namespaces, or the cluster itself."""

RoleName = Literal["viewer", "deployer", "approver", "on-call"]

OWN_GROUP: Final = "turnout.dev"


@dataclass(frozen=True)
class Grant:
    """One rule of a role. `names`: the only objects that it is about; empty: all of them."""

    place: Place
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


_RBAC: Final = "rbac.authorization.k8s.io"
_GATEWAY: Final = "gateway.networking.k8s.io"
_ADMISSION: Final = "admissionregistration.k8s.io"
_READ: Final = "get list watch"
_PUT: Final = "create patch"
_ALL: Final = "get list watch create update patch delete"

_NAMESPACED: Final[Mapping[str, str]] = {
    "": "configmaps persistentvolumeclaims serviceaccounts services",
    "apps": "daemonsets deployments statefulsets",
    "autoscaling": "horizontalpodautoscalers",
    "batch": "cronjobs jobs",
    _GATEWAY: "httproutes",
    "networking.k8s.io": "networkpolicies",
    "policy": "poddisruptionbudgets",
    _RBAC: "roles rolebindings",
}
"""What the components declare, secrets apart."""

_RUNNING: Final[Mapping[str, str]] = {
    "": "events pods",
    "apps": "controllerrevisions replicasets",
    "discovery.k8s.io": "endpointslices",
    "networking.k8s.io": "ingresses",
}
"""What the cluster makes of it."""

_SELECTING: Final[Mapping[str, str]] = {
    "autoscaling": "horizontalpodautoscalers",
    "networking.k8s.io": "networkpolicies",
    "policy": "poddisruptionbudgets",
}
"""What of a release that is left would still act on the restored one, and so is removed."""


def _grant(place: Place, group: str, resources: str, verbs: str, *names: str) -> Grant:
    return Grant(place, group, tuple(resources.split()), tuple(verbs.split()), names)


def _each(place: Place, table: Mapping[str, str], verbs: str) -> tuple[Grant, ...]:
    return tuple(_grant(place, group, resources, verbs) for group, resources in table.items())


def _looking(place: Place) -> tuple[Grant, ...]:
    logs = _grant(place, "", "pods/log", "get")
    return (*_each(place, _NAMESPACED, _READ), *_each(place, _RUNNING, _READ), logs)


def _deploying(place: Place) -> tuple[Grant, ...]:
    return (*_each(place, _NAMESPACED, _ALL), _grant(place, "", "secrets", _ALL))


LOOK: Final = (
    *_looking("app"),
    *_looking("monitoring"),
    *_looking("agents"),
    _grant("control", "", "configmaps", _READ),
    _grant("control", "coordination.k8s.io", "leases", _READ),
    _grant("monitoring", "", "services/proxy", "get", "prometheus:http"),
)
AUDIT: Final = (
    _grant("control", "", "configmaps", "create"),
    _grant("monitoring", "", "services/proxy", "create", "loki:http"),
)
ALERT: Final = (
    _grant("monitoring", "", "pods/proxy", "create", *(f"alertmanager-{number}:9093" for number in range(5))),
)
"""An alert handed to each Alertmanager, through the API server."""
APPROVE: Final = (
    _grant("control", "", "configmaps", "create"),
    _grant("control", OWN_GROUP, "approvals", "create"),
)
STEER: Final = (
    _grant("control", "coordination.k8s.io", "leases", "create"),
    _grant("control", "coordination.k8s.io", "leases", "update", "lock"),
    _grant("control", "", "configmaps", "create update patch"),
    _grant("control", OWN_GROUP, "rollouts", "update"),
    _grant("control", "", "secrets", "get", NOTIFY),
)
"""The lock, and what is noted about releases, tracks, pins and the rollout."""
RESTORE: Final = (*_each("app", _NAMESPACED, _PUT), *_each("app", _SELECTING, "delete"))
"""Traffic moved, and recorded objects put back. No Secret is read, and no workload is deleted."""
DEPLOY: Final = (
    *_deploying("app"),
    *_deploying("monitoring"),
    *_deploying("agents"),
    _grant("app", "", "services/proxy", "get"),
    _grant("app", "", "pods/eviction", "create"),
    _grant("app", "", "pods", "patch"),
    _grant("control", "", "configmaps secrets", _ALL),
    _grant("control", _RBAC, "roles rolebindings", _READ),
    _grant("cluster", "", "namespaces", "get"),
    _grant("cluster", _GATEWAY, "gateways", "get"),
    _grant("cluster", _RBAC, "clusterroles clusterrolebindings", "get"),
    _grant("cluster", _ADMISSION, "validatingadmissionpolicies validatingadmissionpolicybindings", "get"),
    _grant("cluster", "storage.k8s.io", "storageclasses", "get list"),
)
"""All that an apply writes. Namespaces, cluster roles, these roles and the admission policies are only read: whoever
they bind must not be the one to loosen them, so a change of them takes an administrator of the cluster."""

_ON_CALL: Final = (*LOOK, *AUDIT, *STEER, *RESTORE)
_DEPLOYER: Final = (*_ON_CALL, *DEPLOY)

COMMANDS: Final[Mapping[str, tuple[Grant, ...]]] = {
    **dict.fromkeys(("status", "drift", "validate", "logs", "releases", "history", "audit", "gate", "promote"), LOOK),
    **dict.fromkeys(("rollout status", "rollout watch"), LOOK),
    "approve": (*LOOK, *AUDIT, *APPROVE),
    "drift --alert": (*LOOK, *ALERT),
    **dict.fromkeys(("rollback", "unpin", "rollout abort", "rollout pause"), _ON_CALL),
    **dict.fromkeys(("preview", "up", "refresh", "repair", "releases prune", "drift --revert"), _DEPLOYER),
    **dict.fromkeys(("rollout start", "rollout resume", "rollout advance"), _DEPLOYER),
}
"""Command to its rights. `destroy` and the first `up` of an environment take an administrator of the cluster."""

_VIEWING: Final = tuple(command for command, grants in COMMANDS.items() if grants == LOOK)

ROLES: Final[Mapping[RoleName, tuple[str, ...]]] = {
    "viewer": _VIEWING,
    "approver": (*_VIEWING, "approve"),
    "on-call": (*_VIEWING, "rollback", "unpin", "rollout abort", "rollout pause"),
    "deployer": tuple(command for command in COMMANDS if command != "approve"),
}
"""Role to the commands that it may run."""


def of_role(role: RoleName) -> tuple[Grant, ...]:
    """All that the role's commands need."""
    return tuple(dict.fromkeys(grant for command in ROLES[role] for grant in COMMANDS[command]))


def allows(grants: tuple[Grant, ...], wanted: Grant) -> bool:
    """Whether every single right of `wanted` is among those of `grants`."""
    return all(any(_covers(grant, right) for grant in grants) for right in _single(wanted))


def roles_with(wanted: Grant) -> list[RoleName]:
    """The roles that have it, those with the fewest rights first."""
    by_size = sorted(ROLES, key=lambda role: len(of_role(role)))
    return [role for role in by_size if allows(of_role(role), wanted)]


_Single = tuple[str, str, str, str, str]


def _single(grant: Grant) -> Iterator[_Single]:
    for resource in grant.resources:
        for verb in grant.verbs:
            for name in grant.names or ("",):
                yield grant.place, grant.group, resource, verb, name


def _covers(grant: Grant, right: _Single) -> bool:
    place, group, resource, verb, name = right
    return (
        (grant.place, grant.group) == (place, group)
        and resource in grant.resources
        and verb in grant.verbs
        and (not grant.names or name in grant.names)
    )
