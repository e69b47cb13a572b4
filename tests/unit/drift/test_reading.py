"""Which questions are asked, and what an answer that was refused means."""

from __future__ import annotations

from typing import Any

from cli.drift import looking, reading
from cli.drift.declared import of_deployment
from cli.drift.model import Place
from cli.drift.reading import Asked, Seen, own_namespaces, questions
from cli.drift.strangers import LOOKED_AT
from cli.kube.errors import Forbidden
from tests.unit.drift.world import declared, deployment, entry

SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev"}}


def test_a_list_for_each_kind_and_namespace_and_no_question_twice() -> None:
    two = [declared(deployment()), declared({**deployment(), "metadata": {"name": "other", "namespace": "dev"}})]
    assert [one for one in questions(two) if one.kind == "Deployment"] == [Asked("apps/v1", "Deployment", "dev")]
    asked = questions([*two, declared(SPACE)])
    assert len(asked) == len(LOOKED_AT) + 1
    assert [str(one) for one in asked if one.name] == ["Namespace dev"]
    assert {one.kind for one in asked if one.whole} == {"Deployment", "HorizontalPodAutoscaler", "Namespace"}


def test_other_peoples_namespaces_are_not_searched() -> None:
    assert own_namespaces([declared(deployment())]) == []
    assert {one.kind for one in questions([declared(deployment())])} == {"Deployment"}


def test_what_may_not_be_read_is_not_taken_for_deleted() -> None:
    seen = Seen({}, frozenset({("Secret", "dev", ""), ("Namespace", "", "dev")}))
    assert not seen.knows(Place("v1", "Secret", "dev", "s"))
    assert not seen.knows(Place("v1", "Namespace", "", "dev"))
    assert seen.knows(Place("v1", "ConfigMap", "dev", "s"))


class Refusing:
    """Nothing is there, and what has one of these kinds may not be read."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds

    def list(self, _: str, kind: str, *__: str) -> list[Any]:
        if kind in self.kinds:
            raise Forbidden("forbidden")
        return []

    def find(self, _: str, kind: str, *__: str) -> None:
        self.list("", kind)


def test_what_the_role_for_looking_reads_is_missed_and_what_it_never_reads_is_not() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "dev"}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "dev"}}
    wanted = [declared(one) for one in (deployment(), secret, role, account)]

    def missed(*kinds: str) -> list[str]:
        kube: Any = Refusing(*kinds)
        return [one.address for one in looking.missed(wanted, reading.read(kube, wanted), "dev")]

    assert missed("Secret", "ClusterRole") == []
    assert missed("Secret", "Deployment") == ["Deployment/dev/web-a"]
    assert missed("Deployment", "ServiceAccount") == ["Deployment/dev/web-a", "ServiceAccount/dev/a"]


def test_only_objects_of_the_cluster_are_taken_from_a_state() -> None:
    rows = [
        entry(deployment()),
        entry(deployment(), delete=True),
        entry(deployment(), external=True),
        {"urn": "u", "type": "kubernetes:helm.sh/v3:Release", "custom": True, "id": "x", "inputs": {"chart": "y"}},
        {"urn": "v", "type": "turnout:app:App"},
    ]
    assert [one.place.address for one in of_deployment({"resources": rows})] == ["Deployment/dev/web-a"]
