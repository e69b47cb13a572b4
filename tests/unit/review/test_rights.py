from __future__ import annotations

import pytest

from cli.engine.model import Change
from cli.review.rights import Grant
from tests.unit.review.builder import Manifest, Told, change, made, told

RBAC = {"apiVersion": "rbac.authorization.k8s.io/v1"}
READS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
DENIES = {"validations": [{"expression": "a"}, {"expression": "b"}], "failurePolicy": "Fail"}


def role(*rules: Manifest, kind: str = "Role") -> Manifest:
    return made(kind, "reader", rules=list(rules)) | RBAC


def binding(*who: str, to: str = "reader", kind: str = "Role") -> Manifest:
    subjects = [{"kind": "Group", "name": name} for name in who]
    return made("RoleBinding", "readers", roleRef={"kind": kind, "name": to}, subjects=subjects) | RBAC


def own() -> list[Manifest]:
    subject = {"kind": "ServiceAccount", "name": "api", "namespace": "shop"}
    bound = made("RoleBinding", "api", roleRef={"kind": "Role", "name": "reader"}, subjects=[subject]) | RBAC
    return [made("ServiceAccount", "api"), bound]


def policy(**spec: object) -> Manifest:
    return made("ValidatingAdmissionPolicy", "pins", {**DENIES, **spec}, namespace="")


def enforcing(*actions: str) -> Manifest:
    return made("ValidatingAdmissionPolicyBinding", "pins", {"validationActions": list(actions)}, namespace="")


def webhooks(*names: str) -> Manifest:
    return made("ValidatingWebhookConfiguration", "hooks", namespace="", webhooks=[{"name": name} for name in names])


def namespace(level: str) -> Manifest:
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}


GUARD = "ValidatingAdmissionPolicy pins"

CASES: dict[str, tuple[list[Change], list[Told]]] = {
    "a verb more": (
        [change(role(READS), role({**READS, "verbs": ["get", "list", "watch"]}))],
        [("widens-role", "Role shop/reader may also watch pods")],
    ),
    "an object more": (
        [change(role({**READS, "resourceNames": ["a"]}), role({**READS, "resourceNames": ["a", "b"]}))],
        [("widens-role", "Role shop/reader may also get pods b and list pods b")],
    ),
    "all objects instead of one": (
        [change(role({**READS, "resourceNames": ["a"]}), role(READS))],
        [("widens-role", "Role shop/reader may also get pods and list pods")],
    ),
    "the same rights in other words": (
        [change(role({**READS, "resources": ["*"]}), role(READS, {**READS, "verbs": ["get"]}))],
        [],
    ),
    "a verb less": ([change(role(READS), role({**READS, "verbs": ["get"]}))], []),
    "every verb": (
        [change(role(READS), role({**READS, "verbs": ["*"]}))],
        [("any-right", "Role shop/reader may * pods")],
    ),
    "the right to take rights": (
        [change(role(READS), role(READS, {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}))],
        [("any-right", "Role shop/reader may impersonate users")],
    ),
    "a new role": (
        [change(None, role({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}))],
        [("adds-rights", "Role shop/reader may get deployments.apps")],
    ),
    "a path of the server": (
        [change(None, role({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, kind="ClusterRole"))],
        [("adds-rights", "ClusterRole shop/reader may get /metrics")],
    ),
    "somebody more": (
        [change(binding("a"), binding("a", "b"))],
        [("grants-role", "RoleBinding shop/readers gives Role reader to Group b")],
    ),
    "another role": (
        [change(binding("a"), binding("a", to="writer"))],
        [("grants-role", "RoleBinding shop/readers gives Role writer to Group a")],
    ),
    "everything": (
        [change(None, binding("a", to="cluster-admin", kind="ClusterRole"))],
        [("any-right", "RoleBinding shop/readers makes Group a cluster-admin")],
    ),
    "somebody less": ([change(binding("a", "b"), binding("a"))], []),
    "a new account's own role": (
        [change(None, role(READS)), *(change(None, each) for each in own())],
        [("adds-rights", "Role shop/reader may get pods and list pods")],
    ),
    "a policy that goes": (
        [change(policy(), None)],
        [("weakens-admission", f"{GUARD} is deleted: what it refused is let in")],
    ),
    "a policy that fails open": (
        [change(policy(), policy(failurePolicy="Ignore"))],
        [("weakens-admission", f"{GUARD} lets in what it cannot judge: its failure policy is Ignore")],
    ),
    "a check less": (
        [change(policy(), policy(validations=[{"expression": "a"}]))],
        [("weakens-admission", f"{GUARD} refuses less: it has 1 check instead of 2")],
    ),
    "a condition more": (
        [change(policy(), policy(matchConditions=[{"name": "a", "expression": "b"}]))],
        [("weakens-admission", f"{GUARD} refuses less: it has 1 match condition instead of 0")],
    ),
    "another check": (
        [change(policy(), policy(validations=[{"expression": "a"}, {"expression": "c"}]))],
        [("changes-admission", f"{GUARD} asks for something else")],
    ),
    "a policy that only warns": (
        [change(enforcing("Deny", "Audit"), enforcing("Warn"))],
        [("weakens-admission", "ValidatingAdmissionPolicyBinding pins refuses less: it no longer denies")],
    ),
    "a webhook less": (
        [change(webhooks("a", "b"), webhooks("a"))],
        [("weakens-admission", "ValidatingWebhookConfiguration hooks refuses less: it has 1 webhook instead of 2")],
    ),
    "a new policy": ([change(None, policy())], []),
    "other labels": ([change(policy(), {**policy(), "metadata": {"name": "pins", "labels": {"a": "b"}}})], []),
    "looser pods": (
        [change(namespace("restricted"), namespace("baseline"))],
        [("loosens-namespace", "Namespace shop lets in pods that are baseline, not only restricted ones")],
    ),
    "no word of pods": (
        [change(namespace("baseline"), namespace(""))],
        [("loosens-namespace", "Namespace shop lets in pods that are privileged, not only baseline ones")],
    ),
    "stricter pods": ([change(namespace("baseline"), namespace("restricted"))], []),
}


@pytest.mark.parametrize("case", CASES)
def test_who_may_do_more(case: str) -> None:
    changes, expected = CASES[case]
    assert told(*changes) == expected


@pytest.mark.parametrize(
    ("had", "wanted", "covered"),
    [
        (Grant("*", "*", "*"), Grant("delete", "apps", "deployments", "a"), True),
        (Grant("get", "", "pods"), Grant("get", "", "pods", "a"), True),
        (Grant("get", "", "pods", "a"), Grant("get", "", "pods"), False),
        (Grant("get", "", "pods"), Grant("get", "apps", "pods"), False),
        (Grant("get", "", "pods"), Grant("*", "", "pods"), False),
    ],
)
def test_what_a_right_covers(had: Grant, wanted: Grant, *, covered: bool) -> None:
    assert had.covers(wanted) is covered
