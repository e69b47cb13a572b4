from typing import Any

import pytest

from cli.provider.manifests import decoded, defined, documents, normalise, placed

TEXT = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
---
apiVersion: v1
kind: List
items:
- {apiVersion: core/v1, kind: Namespace, metadata: {name: n}}
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: own}}
---
apiVersion: v1
kind: SecretList
items: [{apiVersion: v1, kind: Secret, metadata: {name: t}}]
"""
SCOPES = {("v1", "ConfigMap"): True, ("v1", "Secret"): True, ("v1", "Namespace"): False}


def test_objects_to_register_come_from_lists_too_each_in_its_namespace() -> None:
    found = placed(normalise(documents(TEXT)), "dev", SCOPES)
    assert [(obj["apiVersion"], obj["kind"], obj["metadata"].get("namespace")) for obj in found] == [
        ("v1", "ConfigMap", "dev"),
        ("v1", "Namespace", None),
        ("v1", "Secret", "own"),
        ("v1", "Secret", "dev"),
    ]


def test_an_object_of_a_kind_that_nobody_knows_is_left_without_a_namespace() -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert placed([widget], "dev", {}) == [widget]
    assert decoded([widget], "dev", {})[0]["metadata"]["namespace"] == "dev", "version 1 assumes one"


def test_version_1_leaves_lists_to_the_sdk_and_skips_what_is_no_manifest() -> None:
    found = decoded(documents(TEXT + "---\nkind: Pod"), "", SCOPES)
    assert [obj["kind"] for obj in found] == ["ConfigMap", "List", "SecretList"]


def test_a_definition_tells_the_scope_of_its_kind() -> None:
    spec = {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget"}}
    rows: list[dict[str, Any]] = [{"kind": "CustomResourceDefinition", "spec": each} for each in (spec, None)]
    assert defined(rows) == {("example.com", "Widget"): False}


@pytest.mark.parametrize("bad", ["a: [", "kind: Pod", "- 1", "{apiVersion: v1, kind: Pod}", "text"])
def test_what_is_no_manifest_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="manifest"):
        normalise(documents(bad))


def test_an_error_shows_no_data() -> None:
    with pytest.raises(ValueError) as caught:
        normalise([{"kind": "Secret", "stringData": {"p": "hunter2"}, "metadata": {"annotations": {"p": "hunter2"}}}])
    assert "hunter2" not in str(caught.value)


def test_what_is_no_yaml_is_told_by_its_place_alone() -> None:
    with pytest.raises(ValueError, match=r"no YAML: .* \(line 2, column \d+\)") as caught:
        documents("a: 1\np: {hunter2: ]")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("2026-11-21", "2026-11-21"), ("12:30", "12:30"), ("1.2.3", "1.2.3"), ("=", "="), ("yes", True)],
        *[("0644", 420), ("0o17", 15), ("0x10", 16), ("1_000", 1000), ("-1", -1), ("1e3", 1000.0), (".5", 0.5)],
        *[("{80: a, true: b}", {"80": "a", "true": "b"}), ("~", None), ("'1'", "1")],
    ],
)
def test_values_are_those_of_kubernetes_own_tools(text: str, value: object) -> None:
    assert documents(f"v: {text}") == [{"v": value}]
