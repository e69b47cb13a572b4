"""The roles: each has what its commands need, and nobody has what would undo a policy."""

from __future__ import annotations

from typing import Any

import pytest

from components.access.rights import COMMANDS, ROLES, Grant, RoleName, allows, of_role, roles_with
from components.access.roles import manifests, rules_of, subject
from components.environment import Environment, Namespaces
from components.rollout.settings import AccessSettings

ENVIRONMENT = Environment(
    name="dev",
    tier="dev",
    namespaces=Namespaces.of("dev"),
    image=str,
    registry=False,
    cluster=None,  # type: ignore[arg-type]
    adopting=None,  # type: ignore[arg-type]
)


def rendered(**access: list[str]) -> list[dict[str, Any]]:
    named = {role.replace("_", "-"): subjects for role, subjects in access.items()}
    return list(manifests(ENVIRONMENT, AccessSettings.model_validate(named)))


def may(role: RoleName, verb: str, resource: str, group: str = "", place: Any = "app", name: str = "") -> bool:
    """As RBAC decides it, from the rules that are rendered."""
    return any(
        group in rule["apiGroups"]
        and resource in rule["resources"]
        and verb in rule["verbs"]
        and (not rule.get("resourceNames") or name in rule["resourceNames"])
        for rule in rules_of(role).get(place, [])
    )


@pytest.mark.parametrize("role", ROLES)
def test_rendered_rules_are_neither_less_nor_more_than_the_table(role: RoleName) -> None:
    wanted = {
        (grant.place, group, resource, verb, name)
        for grant in of_role(role)
        for group, resource in ((grant.group, resource) for resource in grant.resources)
        for verb in grant.verbs
        for name in grant.names or ("",)
    }
    given = {
        (place, group, resource, verb, name)
        for place, rules in rules_of(role).items()
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or ("",)
    }
    assert given == wanted


@pytest.mark.parametrize("role", ROLES)
def test_role_has_what_each_of_its_commands_needs(role: RoleName) -> None:
    for command in ROLES[role]:
        for grant in COMMANDS[command]:
            assert allows(of_role(role), grant), (command, grant)


def test_every_command_is_some_roles() -> None:
    assert {command for commands in ROLES.values() for command in commands} == set(COMMANDS)


def test_viewer_writes_nothing() -> None:
    verbs = {verb for grant in of_role("viewer") for verb in grant.verbs}
    assert verbs == {"get", "list", "watch"}


@pytest.mark.parametrize("role", ["viewer", "approver", "on-call"])
def test_secrets_stay_closed_but_for_where_to_notify(role: RoleName) -> None:
    opened = [grant for grant in of_role(role) if "secrets" in grant.resources]
    assert all(grant.names == ("notify",) and grant.place == "control" for grant in opened)
    assert bool(opened) == (role == "on-call")


def test_on_call_puts_back_and_deletes_no_workload() -> None:
    assert may("on-call", "patch", "deployments", "apps")
    assert may("on-call", "create", "deployments", "apps")
    assert not may("on-call", "delete", "deployments", "apps")
    assert not may("on-call", "patch", "deployments", "apps", "monitoring")
    assert not may("on-call", "create", "pods")
    assert not may("on-call", "create", "pods/exec")
    assert may("on-call", "update", "leases", "coordination.k8s.io", "control", "lock")
    assert not may("on-call", "update", "leases", "coordination.k8s.io", "control", "other")


def test_only_approvers_approve_and_they_steer_nothing() -> None:
    assert [role for role in ROLES if may(role, "create", "approvals", "turnout.dev", "control")] == ["approver"]
    assert not may("approver", "update", "rollouts", "turnout.dev", "control")
    assert not may("approver", "update", "configmaps", "", "control")


@pytest.mark.parametrize("role", ROLES)
def test_nobody_may_loosen_what_binds_them(role: RoleName) -> None:
    for rules in rules_of(role).values():
        assert not {"escalate", "bind", "impersonate", "*"} & {verb for rule in rules for verb in rule["verbs"]}
    for resource in ("validatingadmissionpolicies", "validatingadmissionpolicybindings"):
        assert not may(role, "patch", resource, "admissionregistration.k8s.io", "cluster")
    assert not may(role, "patch", "roles", "rbac.authorization.k8s.io", "control")
    assert not may(role, "patch", "namespaces", "", "cluster")


def test_roles_are_always_there_and_bindings_only_for_somebody() -> None:
    assert {made["kind"] for made in rendered()} == {"Role", "ClusterRole"}
    made = rendered(on_call=["Group:sre"])
    bound = [item for item in made if item["kind"] == "RoleBinding"]
    assert {item["metadata"]["namespace"] for item in bound} == {"dev", "dev-monitoring", "dev-agents", "turnout-dev"}
    assert all(item["roleRef"]["name"] == "turnout-on-call" for item in bound)
    assert bound[0]["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "sre"}]


def test_cluster_role_carries_the_environments_name() -> None:
    made = [item for item in rendered(deployer=["User:anna"]) if item["kind"].startswith("Cluster")]
    assert [item["kind"] for item in made] == ["ClusterRole", "ClusterRoleBinding"]
    assert {item["metadata"]["name"] for item in made} == {"turnout-dev-deployer"}


def test_subjects() -> None:
    assert subject("User:system:serviceaccount:x")["name"] == "system:serviceaccount:x"
    assert subject("ServiceAccount:ci/deployer") == {"kind": "ServiceAccount", "namespace": "ci", "name": "deployer"}
    for wrong in ("anna", "Group:", "ServiceAccount:deployer", "Robot:r2"):
        with pytest.raises(ValueError, match="is not Group:NAME"):
            subject(wrong)


def test_smallest_role_is_named_first() -> None:
    assert roles_with(Grant("app", "apps", ("deployments",), ("get",)))[0] == "viewer"
    assert roles_with(Grant("app", "apps", ("deployments",), ("patch",))) == ["on-call", "deployer"]
    assert roles_with(Grant("app", "", ("pods/exec",), ("create",))) == []
