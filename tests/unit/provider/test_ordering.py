from typing import Any

import pytest

from cli.provider.ordering import DEPENDS_ON, MUTATION, Identity, identity, ordered


def obj(kind: str, name: str, *, version: str = "v1", namespace: str = "", **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "annotations": more.pop("annotations", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def names(*objects: dict[str, Any]) -> list[str]:
    return [row["metadata"]["name"] for row, _ in ordered(objects)]


def test_what_waits_for_nothing_comes_by_kind_then_by_name() -> None:
    found = names(
        obj("Widget", "w", version="example.com/v1"),
        obj("Deployment", "d", version="apps/v1"),
        obj("ConfigMap", "b"),
        obj("ConfigMap", "a"),
        obj("ValidatingWebhookConfiguration", "v", version="admissionregistration.k8s.io/v1"),
        obj("Namespace", "n"),
    )
    assert found == ["n", "a", "b", "d", "w", "v"]


def test_an_object_waits_for_its_namespace_and_a_custom_one_for_its_definition() -> None:
    spec = {"group": "example.com", "names": {"kind": "Widget"}}
    definition = obj("CustomResourceDefinition", "widgets", version="apiextensions.k8s.io/v1", spec=spec)
    rows = ordered([obj("Widget", "w", version="example.com/v1", namespace="n"), definition, obj("Namespace", "n")])
    assert [row["metadata"]["name"] for row, _ in rows] == ["n", "widgets", "w"]
    assert rows[2][1] == [identity(definition), Identity("", "Namespace", "", "n")]


def test_annotations_name_what_to_wait_for() -> None:
    after = {DEPENDS_ON: "apps/namespaces/n/Deployment/d, rbac.authorization.k8s.io/ClusterRole/r"}
    source = "- sourceRef: {apiVersion: v1, kind: Secret, name: z, namespace: n}"
    found = names(
        obj("ConfigMap", "c", namespace="n", annotations=after),
        obj("Deployment", "d", version="apps/v1", namespace="n", annotations={MUTATION: source}),
        obj("ClusterRole", "r", version="rbac.authorization.k8s.io/v1"),
        obj("Secret", "z", namespace="n"),
    )
    assert found == ["r", "z", "d", "c"]


@pytest.mark.parametrize("text", ["x/y", "/ConfigMap/none", "a/b/c/d/e"])
def test_a_reference_that_cannot_be_followed_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"depends-on|is not among"):
        ordered([obj("ConfigMap", "c", annotations={DEPENDS_ON: text})])


def test_a_cycle_is_named() -> None:
    rows = [obj("ConfigMap", one, annotations={DEPENDS_ON: f"/ConfigMap/{other}"}) for one, other in ("ab", "ba")]
    with pytest.raises(ValueError, match="wait for each other: ConfigMap/a, ConfigMap/b"):
        ordered(rows)


def test_of_two_with_one_identity_the_last_counts() -> None:
    assert ordered([obj("ConfigMap", "a", data={"v": "1"}), obj("ConfigMap", "a", data={"v": "2"})])[0][0]["data"] == {
        "v": "2"
    }
