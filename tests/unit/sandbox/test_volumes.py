"""Which volumes are made and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.sandbox.volumes import PROVISIONED_BY, SELECTED_NODE, Delete, Make, manifest, plan


def claim(uid: str = "u", *, phase: str = "Pending", node: str | None = "sandbox", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "uid": uid,
            "name": "data",
            "namespace": "dev",
            "annotations": {SELECTED_NODE: node} if node else {},
        },
        "spec": {
            "storageClassName": "local",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
        "status": {"phase": phase},
    }


def volume(name: str = "pvc-u", phase: str = "Bound", by: str = "turnout.dev/local") -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {PROVISIONED_BY: by}}, "status": {"phase": phase}}


def test_a_claim_whose_pod_has_a_node_gets_a_volume_once() -> None:
    waiting = claim()
    assert plan([waiting], []) == [Make(waiting, "sandbox")]
    assert plan([waiting], [volume(phase="Available")]) == []


def test_other_claims_are_left_alone() -> None:
    others = [
        claim(node=None),
        claim(phase="Bound"),
        claim(storageClassName="fast"),
        claim(volumeMode="Block"),
        claim(volumeName="mine"),
    ]
    assert plan(others, []) == []


def test_a_released_volume_of_ours_is_deleted_and_no_other() -> None:
    assert plan([], [volume(phase="Released"), volume("b", "Bound"), volume("c", "Released", "other")]) == [
        Delete("pvc-u")
    ]


def test_the_volume_is_the_claims_own_and_stays_on_its_node() -> None:
    made = manifest(Make(claim(), "sandbox"), Path("/v/pvc-u"))
    assert made["metadata"]["name"] == "pvc-u"
    assert made["spec"]["claimRef"]["uid"] == "u"
    assert made["spec"]["capacity"] == {"storage": "1Gi"}
    assert made["spec"]["local"] == {"path": "/v/pvc-u"}
    (term,) = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["sandbox"]
