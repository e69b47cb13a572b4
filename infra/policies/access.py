"""Who may do what to the cluster, and with which account a pod speaks to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from infra.policies.rule import ALWAYS, SHARED, Fault, cis, nsa, rule
from infra.policies.world import Pod, Thing, World
from infra.reading import entries, mapping

_RBAC: Final = nsa("Authentication and authorization: Role-based access control")
_TOKENS: Final = nsa("Kubernetes Pod security: Protecting Pod service account tokens")
_GROWING: Final = frozenset({"bind", "escalate", "impersonate"})
_KEYS: Final[dict[str, str]] = {
    "nodes/proxy": "talks to kubelets past every admission",
    "serviceaccounts/token": "makes tokens of other accounts",
    "certificatesigningrequests/approval": "lets new identities in",
    "validatingwebhookconfigurations": "can switch admission off",
    "mutatingwebhookconfigurations": "can rewrite what others apply",
}
_READING: Final = frozenset({"get", "list", "watch"})
_ADMIN_GROUP: Final = "system:masters"
_EVERYBODY: Final = frozenset(
    f"system:{name}" for name in ("anonymous", "unauthenticated", "authenticated", "serviceaccounts")
)


def roles(world: World) -> Iterator[Thing]:
    return world.of("Role", "ClusterRole")


@rule(
    "service-account-token",
    World.pods,
    why="a token that nothing uses is found by whoever breaks in, and tells the API server that it is the pod",
    remedy="automountServiceAccountToken: false; where the pod does ask the API, bind its account to a role",
    levels=ALWAYS,
    supports=(_TOKENS, cis("5.1.6")),
)
def service_account_token(pod: Pod) -> Iterator[Fault]:
    account = pod.world.find("ServiceAccount", pod.namespace, pod.account)
    mounted = pod.pod.get("automountServiceAccountToken")
    if mounted is None:
        mounted = account.made.get("automountServiceAccountToken") if account else None
    if mounted is not False and not _is_bound(pod):
        path = f"{pod.path}.automountServiceAccountToken"
        yield Fault(path, f"holds the token of {pod.account}, which no role is bound to")


@rule(
    "default-account",
    World.pods,
    why="the default account is every pod's that names none: a right for one of them is a right for all",
    remedy="a ServiceAccount of its own for each workload",
    levels=ALWAYS,
    supports=(_TOKENS, cis("5.1.5")),
)
def default_account(pod: Pod) -> Iterator[Fault]:
    if pod.account == "default":
        yield Fault(f"{pod.path}.serviceAccountName", "runs as the namespace's default account")


@rule(
    "wildcard-rights",
    roles,
    why="a wildcard grants what nobody thought of, and what the cluster learns to serve later",
    remedy="name the API groups, the resources and the verbs",
    levels=ALWAYS,
    supports=(_RBAC, cis("5.1.3")),
)
def wildcard_rights(role: Thing) -> Iterator[Fault]:
    for at, one in enumerate(entries(role.made.get("rules"))):
        for key in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            if "*" in (one.get(key) or ()):
                yield Fault(f"rules[{at}].{key}", f"grants every one of {key}")


@rule(
    "growing-rights",
    roles,
    why="with these rights a subject gives itself, or takes from others, whatever else it wants",
    remedy="leave bind, escalate, impersonate and the named resources to the cluster's administrators",
    levels=ALWAYS,
    supports=(_RBAC, cis("5.1.8"), cis("5.1.10"), cis("5.1.11"), cis("5.1.12"), cis("5.1.13")),
)
def growing_rights(role: Thing) -> Iterator[Fault]:
    for at, one in enumerate(entries(role.made.get("rules"))):
        verbs = set(map(str, one.get("verbs") or ()))
        if granted := sorted(verbs & _GROWING):
            yield Fault(f"rules[{at}].verbs", f"may {', '.join(granted)}")
        for resource in sorted(set(map(str, one.get("resources") or ())) & set(_KEYS)):
            if resource == "nodes/proxy" or verbs - _READING:
                yield Fault(f"rules[{at}].resources", f"{resource}: {_KEYS[resource]}")


@rule(
    "secrets-everywhere",
    lambda world: world.of("ClusterRole"),
    why="who reads the Secrets of every namespace holds every credential of the cluster",
    remedy="a Role in the namespaces that it is for, with resourceNames where they are known",
    levels=ALWAYS,
    supports=(_RBAC, cis("5.1.2")),
)
def secrets_everywhere(role: Thing) -> Iterator[Fault]:
    bound = [each for each in role.world.of("ClusterRoleBinding") if _role_of(each) == ("ClusterRole", role.name)]
    for at, one in enumerate(entries(role.made.get("rules"))):
        reads = _READING & set(map(str, one.get("verbs") or ()))
        if bound and reads and "secrets" in (one.get("resources") or ()) and not one.get("resourceNames"):
            yield Fault(f"rules[{at}].resources", f"may {', '.join(sorted(reads))} the Secrets of every namespace")


@rule(
    "cluster-admin",
    World.bindings,
    why="cluster-admin is every right there is: the one account whose loss is the loss of the cluster",
    remedy="a role with the rights that are used (docs/access.md shows how ours are made)",
    levels=ALWAYS,
    supports=(_RBAC, cis("5.1.1"), cis("5.1.7")),
)
def cluster_admin(binding: Thing) -> Iterator[Fault]:
    if _role_of(binding) == ("ClusterRole", "cluster-admin"):
        yield Fault("roleRef", "binds cluster-admin")
    if any(each.get("name") == _ADMIN_GROUP for each in entries(binding.made.get("subjects"))):
        yield Fault("subjects", f"speaks of the group {_ADMIN_GROUP}, which no role can bind")


@rule(
    "bound-to-everybody",
    World.bindings,
    why="a right of everybody who is authenticated, or of nobody in particular, is a right of whoever breaks in",
    remedy="name the accounts or the groups of people",
    levels=ALWAYS,
    supports=(_RBAC,),
)
def bound_to_everybody(binding: Thing) -> Iterator[Fault]:
    for at, each in enumerate(entries(binding.made.get("subjects"))):
        if each.get("name") in _EVERYBODY:
            yield Fault(f"subjects[{at}]", f"grants its role to {each['name']}")


@rule(
    "bound-role",
    World.bindings,
    why="a binding to a role or an account that is not there grants nothing now, and something when it appears",
    remedy="declare the role and the account beside the binding, or take the binding away",
    levels=SHARED,
    supports=(_RBAC,),
)
def bound_role(binding: Thing) -> Iterator[Fault]:
    kind, name = _role_of(binding)
    if kind == "Role" and not binding.world.find("Role", binding.namespace, str(name)):
        yield Fault("roleRef", f"there is no Role {name} beside it")
    for at, each in enumerate(entries(binding.made.get("subjects"))):
        if _is_missing(binding, each):
            yield Fault(f"subjects[{at}]", f"there is no ServiceAccount {each.get('namespace')}/{each.get('name')}")


def _is_bound(pod: Pod) -> bool:
    """Whether a role is bound to the pod's own account: then it was asked for."""
    return pod.account != "default" and (pod.namespace, pod.account) in pod.world.bound


def _role_of(binding: Thing) -> tuple[Any, Any]:
    role = mapping(binding.made.get("roleRef"))
    return role.get("kind"), role.get("name")


def _is_missing(binding: Thing, subject: dict[str, Any]) -> bool:
    """Whether an account of a namespace that is declared here is not: of other namespaces nobody knows."""
    if subject.get("kind") != "ServiceAccount":
        return False
    namespace = subject.get("namespace") or binding.namespace
    account = binding.world.find("ServiceAccount", str(namespace), str(subject.get("name")))
    return namespace in binding.world.namespaces and account is None


RULES: Final = (
    service_account_token,
    default_account,
    wildcard_rights,
    growing_rights,
    secrets_everywhere,
    cluster_admin,
    bound_to_everybody,
    bound_role,
)
