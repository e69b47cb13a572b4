"""A right that is missing is named with the role that has it."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from cli.errors import Refused
from cli.kube.client import Kube
from cli.kube.config import Endpoint
from cli.kube.errors import Forbidden
from cli.kube.operations import Server
from cli.rollout import checks, rights
from cli.rollout.rights import Explained, Right

READ = {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}


def refusing(message: str) -> Kube:
    answer = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(403, json=answer))
    return Kube(
        Endpoint("http://api", "default", "test", None, None),
        server=Server(explain=Explained("prod")),
        transport=transport,
    )


def cannot(verb: str, resource: str, group: str, namespace: str) -> str:
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return f'x is forbidden: User "u" cannot {verb} resource "{resource}" in API group "{group}" {where}'


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (cannot("patch", "deployments", "apps", "prod"), "ask for the role on-call (or deployer)"),
        (cannot("list", "pods", "", "prod-monitoring"), "ask for the role viewer"),
        (cannot("create", "secrets", "", "prod"), "ask for the role deployer"),
        (cannot("update", "leases", "coordination.k8s.io", "turnout-prod"), "ask for the role on-call"),
        (cannot("create", "services/proxy", "", "prod-monitoring"), "ask for the role approver"),
        (cannot("create", "namespaces", "", ""), "ask an administrator of the cluster"),
        (cannot("get", "clusterroles", "rbac.authorization.k8s.io", ""), "bind turnout-prod-deployer"),
    ],
)
def test_refusal_names_the_role_and_the_check(message: str, said: str) -> None:
    with refusing(message) as kube, pytest.raises(Forbidden) as refused:
        kube.get("v1", "Pod", "x", "prod")
    assert said in refused.value.next
    assert "kubectl auth can-i" in refused.value.next
    assert refused.value.why.startswith("the right to ")


@pytest.mark.parametrize("message", [cannot("get", "pods", "", "elsewhere"), "denied: pinned out"])
def test_other_refusals_speak_for_themselves(message: str) -> None:
    with refusing(message) as kube, pytest.raises(Forbidden) as refused:
        kube.get("v1", "Pod", "x", "prod")
    assert refused.value.why == message


class Reviewer:
    """An API server that grants by rules, and says no to every single question."""

    def __init__(self, *rules: dict[str, Any]) -> None:
        self.rules, self.asked = list(rules), 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("rulesreviews"):
            return httpx2.Response(201, json={"status": {"resourceRules": self.rules, "incomplete": False}})
        self.asked += 1
        spec = json.loads(request.content)["spec"]["resourceAttributes"]
        return httpx2.Response(201, json={"status": {"allowed": spec["resource"] == "namespaces"}})


def reviewed(*rules: dict[str, Any]) -> Kube:
    transport = httpx2.MockTransport(Reviewer(*rules))
    return Kube(Endpoint("http://api", "default", "test", None, None), transport=transport)


def test_what_rules_do_not_say_is_asked_one_by_one() -> None:
    wanted = {
        Right("app", "dev", "", "pods", "list"),
        Right("app", "dev", "", "secrets", "create"),
        Right("cluster", "", "", "namespaces", "get"),
    }
    with reviewed(READ) as kube:
        assert rights.missing(kube, wanted) == {Right("app", "dev", "", "secrets", "create")}


def test_rule_for_one_name_is_no_right_to_all() -> None:
    named = READ | {"verbs": ["update"], "resourceNames": ["lock"]}
    one = Right("control", "turnout-dev", "coordination.k8s.io", "leases", "update", "lock")
    with reviewed(named) as kube:
        assert rights.missing(kube, [one]) == set()
        assert rights.missing(kube, [Right(*list(vars(one).values())[:-1])])


def test_doctor_says_which_commands_we_may_run_and_what_the_first_other_one_lacks() -> None:
    with reviewed(READ) as kube:
        check = checks.rights(rights.possible(kube, "dev"), "dev")
    assert check.verdict == "warning"
    assert check.found.startswith("enough for status, ")
    assert "not for approve, drift --alert, rollback" in check.found
    assert "approve needs create configmaps in turnout-dev" in check.found
    assert "role approver" in check.fix


def test_doctor_finds_no_rights_at_all_wrong() -> None:
    with reviewed() as kube:
        check = checks.rights(rights.possible(kube, "dev"), "dev")
    assert (check.verdict, "enough for no command" in check.found) == ("wrong", True)


def test_destroy_is_refused_before_anything_is_touched_where_the_namespaces_would_stay(cluster: Any, kube: Any) -> None:
    rights.must_be_able_to_destroy(kube, "dev")
    cluster.allows = False
    with pytest.raises(Refused, match="deleted by an administrator") as refused:
        rights.must_be_able_to_destroy(kube, "dev")
    assert "delete namespaces dev in the cluster" in refused.value.why


def test_doctor_is_content_with_all() -> None:
    assert checks.rights({"status": [], "up": []}, "dev").verdict == "ok"
