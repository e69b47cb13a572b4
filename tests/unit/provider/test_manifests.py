import pytest

from cli.provider.manifests import decode_manifests

TEXT = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: n}}
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: own}}
"""


def test_manifests_are_read_lists_taken_apart_and_namespaces_filled_in() -> None:
    found = decode_manifests(TEXT, "dev")
    assert [(obj["kind"], obj["metadata"].get("namespace")) for obj in found] == [
        ("ConfigMap", "dev"),
        ("Namespace", None),
        ("Secret", "own"),
    ]
    assert "namespace" not in decode_manifests(TEXT)[0]["metadata"]


@pytest.mark.parametrize("bad", ["a: [", "kind: Pod", "- 1"])
def test_what_is_no_manifest_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="manifest"):
        decode_manifests(bad)
