"""The comparison sees whatever differs between cluster, state and program, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.soak import compare
from tests.soak.desired import KEY, REFERENCE, Shape, Wanted, wanted

PROGRAM = [
    Wanted("settings", {"kind": "ConfigMap", "metadata": {}, "data": {"a": "1"}}),
    Wanted(
        "web",
        {
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"from": f"{REFERENCE}settings"},
        },
    ),
]


def thing(kind: str, name: str, key: str = "", *, owner: str = "", **body: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"namespace": "ns", "name": name, "uid": f"uid of {name}"}
    if key:
        metadata["labels"] = {KEY: key}
    if owner:
        metadata["ownerReferences"] = [{"kind": "Deployment", "name": owner, "uid": f"uid of {owner}"}]
    return {"kind": kind, "metadata": metadata, **body}


CLUSTER = [
    thing("ConfigMap", "settings-1a2b", "settings", data={"a": "1", "b": "of somebody else"}),
    thing("Deployment", "web", "web", spec={"from": "settings-1a2b", "replicas": 1}),
    thing("ReplicaSet", "web-77", owner="web"),
    thing("ConfigMap", "kube-root-ca.crt"),
    thing("ServiceAccount", "default"),
]


def entry(type_: str, key: str, id_: str, **rest: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::soak::{type_}::{key}", "type": type_, "id": id_, **rest}


def state() -> dict[str, Any]:
    rows = [
        {"urn": "urn:pulumi:dev::soak::pulumi:pulumi:Stack::soak-dev", "type": "pulumi:pulumi:Stack"},
        entry("kubernetes:core/v1:ConfigMap", "settings", "ns/settings-1a2b"),
        entry("kubernetes:apps/v1:Deployment", "web", "ns/web"),
    ]
    return {"deployment": {"resources": rows}}


def faults(
    objects: list[dict[str, Any]] | None = None, held: dict[str, Any] | None = None, program: Any = None
) -> list[str]:
    return compare.faults(
        CLUSTER if objects is None else objects,
        state() if held is None else held,
        PROGRAM if program is None else program,
    )


def test_nothing_is_wrong_where_all_three_agree() -> None:
    assert faults() == []
    assert faults([], {}, []) == []


def test_an_object_that_the_state_does_not_know_is_orphaned() -> None:
    assert faults([*CLUSTER, thing("Secret", "left")]) == [
        "Secret ns/left is in the cluster, but not in the state: orphaned"
    ]


def test_an_object_made_twice_is_seen_even_when_the_state_knows_both() -> None:
    twin = thing("ConfigMap", "settings-ffff", "settings", data={"a": "1"})
    held = state()
    held["deployment"]["resources"].append(entry("kubernetes:core/v1:ConfigMap", "settings", "ns/settings-ffff"))
    told = faults([*CLUSTER, twin], held)
    assert "ConfigMap settings is 2 times in the cluster" in told


def test_an_object_that_is_gone_is_missed() -> None:
    assert faults(CLUSTER[1:]) == ["ConfigMap ns/settings-1a2b is in the state, but not in the cluster"]


def test_what_its_owner_left_behind_is_orphaned_too() -> None:
    left = [entry for entry in CLUSTER if entry["kind"] != "Deployment"]
    assert "ReplicaSet ns/web-77 is owned by Deployment web, which is gone" in faults(left)


def test_state_and_program_hold_the_same_resources() -> None:
    assert "Deployment web is in the state, but not in the program" in faults(program=PROGRAM[:1])
    more = [*PROGRAM, Wanted("more", {"kind": "Job", "metadata": {}})]
    assert faults(program=more) == ["Job more is missing from the state"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"delete": True}, "Deployment ns/web waits in the state for its deletion"),
        ({"pendingReplacement": True}, "Deployment ns/web waits in the state for its deletion"),
        ({"initErrors": ["slow"]}, "has errors in the state: ['slow']"),
    ],
)
def test_a_resource_half_done_is_told(change: dict[str, Any], told: str) -> None:
    held = state()
    held["deployment"]["resources"][2].update(change)
    assert any(told in fault for fault in faults(held=held))


def test_an_operation_that_is_pending_is_told() -> None:
    held = state()
    held["deployment"]["pending_operations"] = [{"type": "creating", "resource": {"urn": "urn"}}]
    assert faults(held=held) == ["creating urn is pending in the state"]


def test_content_that_is_not_what_the_program_asks_for_is_told() -> None:
    changed = copy.deepcopy(CLUSTER)
    changed[0]["data"]["a"] = "2"
    changed[1]["spec"]["from"] = "settings-of-yore"
    assert faults(changed) == [
        "ConfigMap settings: data.a is not what the program asks for",
        "Deployment web: spec.from is not what the program asks for",
    ]


def test_an_object_on_its_way_out_is_told() -> None:
    leaving = copy.deepcopy(CLUSTER)
    leaving[1]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert faults(leaving) == ["Deployment web is being deleted"]


def test_lists_differ_by_length_and_by_item() -> None:
    assert list(compare.differing([1, 2], [1], {})) == [""]
    assert list(compare.differing({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {})) == ["a[0].b"]
    assert list(compare.differing({"a": 1}, None, {})) == ["a"]


def test_the_program_is_of_many_kinds_and_each_variant_differs() -> None:
    shape = Shape(extras=True)
    program = wanted(shape, "ns")
    assert len(program) >= 20
    assert len({entry.kind for entry in program}) >= 12
    assert {entry.name is None for entry in program} == {True, False}
    assert len({entry.key for entry in program}) == len(program)
    known: set[str] = set()
    for entry in program:
        assert set(entry.after) <= known, "each after those that it depends on"
        known.add(entry.key)
    assert wanted(Shape(deployed=False), "ns") == ()
    assert wanted(Shape(revision=1, extras=True), "ns") != program != wanted(Shape(content=1, extras=True), "ns")
