"""What is drift, what stands beside, and what is nobody's concern."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cli.drift.model import Author, Fate
from cli.engine.model import ABSENT, SECRET
from components.manifest import CONTENT_LABEL
from components.secret import Secret
from components.workload.naming import content_hash
from tests.unit.drift.world import (
    CONTAINER,
    LATE,
    at,
    beside,
    declared,
    deployment,
    drifted,
    edited,
    fields,
    live_of,
    owner,
    plain,
    sealed,
    tree,
)

WEB = declared(deployment())
LIVE = live_of(deployment())
POD = "spec.template.spec.containers"


def container(live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = live["spec"]["template"]["spec"]["containers"][0]
    return found


def test_what_was_just_applied_has_not_drifted() -> None:
    assert drifted(WEB, LIVE) is None


def test_what_the_server_filled_in_and_its_status_are_no_drift() -> None:
    def change(live: dict[str, Any]) -> None:
        live["spec"]["revisionHistoryLimit"] = 10
        live["status"] = {"replicas": 9}
        live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "4"}

    revision = at("metadata", "annotations", leaf={".": {}, "f:deployment.kubernetes.io/revision": {}})
    status = owner("kube-controller-manager", at("status", "replicas"), sub="status")
    assert drifted(WEB, edited(LIVE, change, owner("kube-controller-manager", revision), status)) is None


def test_an_equal_quantity_is_none() -> None:
    one = declared(deployment(template=_asking_for("1000m")))
    assert drifted(one, LIVE) is None


def _asking_for(cpu: str) -> dict[str, Any]:
    template: dict[str, Any] = deployment()["spec"]["template"]
    template["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
    return template


def test_an_edited_image_is_drift_with_who_and_when() -> None:
    live = edited(
        LIVE,
        lambda live: container(live).update(image="shop:2"),
        owner("kubectl-edit", at(*CONTAINER, "image")),
        forget=(*CONTAINER, "image"),
    )
    found = drifted(WEB, live)
    assert found
    [field] = found.fields
    assert (field.path, field.declared, field.live) == (f"{POD}[web].image", "shop:1", "shop:2")
    assert (field.by, field.sure) == ((Author("kubectl-edit", LATE, "kubectl edit"),), True)
    assert (found.component, found.place.address, found.fate) == ("app", "Deployment/dev/web-a", Fate.CHANGED)


def test_an_added_variable_and_a_changed_one_are_each_their_own() -> None:
    def change(live: dict[str, Any]) -> None:
        container(live)["env"] = [
            {"name": "NEW", "value": "1"},
            {"name": "LEVEL", "value": "debug"},
            {"name": "MODE", "value": "fast"},
        ]

    new = tree({"name": "NEW", "value": "1"}, "item")
    by = owner("kubectl-set", at(*CONTAINER, "env", leaf={'k:{"name":"NEW"}': new, **at('{"name":"LEVEL"}', "value")}))
    found = drifted(WEB, edited(LIVE, change, by, forget=(*CONTAINER, "env", '{"name":"LEVEL"}', "value")))
    assert fields(found) == {
        f"{POD}[web].env[LEVEL].value": ("changed", "info", "debug", "kubectl-set"),
        f"{POD}[web].env[NEW]": ("added", ABSENT, {"name": "NEW", "value": "1"}, "kubectl-set"),
    }


def test_a_removed_field_is_guessed_to_be_the_last_writers() -> None:
    def change(live: dict[str, Any]) -> None:
        del container(live)["env"][1]

    found = drifted(WEB, edited(LIVE, change, owner("kubectl-edit", at("metadata", "labels", "x"))))
    assert found
    [field] = found.fields
    assert (field.path, field.what.value, field.declared) == (
        f"{POD}[web].env[LEVEL]",
        "removed",
        {"name": "LEVEL", "value": "info"},
    )
    assert (field.by[0].manager, field.sure) == ("kubectl-edit", False)


def test_a_sidecar_is_drift() -> None:
    sidecar = {"name": "proxy", "image": "proxy:1"}
    leaf = {'k:{"name":"proxy"}': tree(sidecar, "item")}
    live = edited(
        LIVE,
        lambda live: live["spec"]["template"]["spec"]["containers"].append(sidecar),
        owner("injector", at("spec", "template", "spec", "containers", leaf=leaf)),
    )
    assert fields(drifted(WEB, live)) == {f"{POD}[proxy]": ("added", ABSENT, sidecar, "injector")}


def test_a_list_that_is_one_whole_differs_as_one() -> None:
    live = edited(
        LIVE,
        lambda live: container(live).update(args=["serve", "-v"]),
        owner("kubectl-patch", at(*CONTAINER, "args")),
        forget=(*CONTAINER, "args"),
    )
    assert fields(drifted(WEB, live)) == {f"{POD}[web].args": ("changed", ["serve"], ["serve", "-v"], "kubectl-patch")}


def test_labels_of_the_object_stand_beside_those_of_a_namespace_are_drift() -> None:
    by = owner("kubectl-label", at("metadata", "labels", "team"))
    live = edited(LIVE, lambda live: live["metadata"]["labels"].update(team="x"), by)
    found = drifted(WEB, live)
    assert (fields(found), beside(found)) == ({}, {"metadata.labels.team": "kubectl-label"})
    assert found
    assert not found.counts
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev", "labels": {"a": "b"}}}
    live = edited(live_of(space), lambda live: live["metadata"]["labels"].update(team="x"), by)
    assert fields(drifted(declared(space), live)) == {"metadata.labels.team": ("added", ABSENT, "x", "kubectl-label")}


def test_a_restart_by_kubectl_is_told_and_no_drift() -> None:
    mark = {"kubectl.kubernetes.io/restartedAt": LATE}
    leaf: dict[str, Any] = {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}
    live = edited(
        LIVE,
        lambda live: live["spec"]["template"]["metadata"].update(annotations=mark),
        owner("kubectl-rollout", at("spec", "template", "metadata", "annotations", leaf=leaf)),
    )
    found = drifted(WEB, live)
    assert (fields(found), len(beside(found))) == ({}, 1)


SCALED = edited(
    LIVE,
    lambda live: live["spec"].update(replicas=5),
    owner("kubectl", at("spec", "replicas"), sub="scale"),
    forget=("spec", "replicas"),
)


def test_a_count_is_drift_unless_an_autoscaler_counts() -> None:
    found = drifted(WEB, SCALED)
    assert fields(found) == {"spec.replicas": ("changed", 2, 5, "kubectl")}
    assert found
    assert found.fields[0].by[0].word == "kubectl scale"
    assert drifted(WEB, SCALED, scaled=True) is None
    auto = owner("kube-controller-manager", at("spec", "replicas"), sub="scale")
    live = edited(LIVE, lambda live: live["spec"].update(replicas=5), auto, forget=("spec", "replicas"))
    assert drifted(WEB, live) is None


@pytest.mark.parametrize("left_alone", [["spec.replicas"], ["*"]], ids=["moved", "frozen"])
def test_what_a_rollout_owns_is_no_drift(left_alone: list[str]) -> None:
    two = declared(deployment(), ignoreChanges=left_alone)
    by = owner("turnout-rollout", at("spec", "replicas"))
    live = edited(LIVE, lambda live: live["spec"].update(replicas=5), by, forget=("spec", "replicas"))
    assert drifted(two, live) is None
    found = drifted(two, SCALED)
    assert (fields(found), beside(found)) == ({}, {"spec.replicas": "kubectl"})


def test_a_frozen_object_is_to_stay_as_it_was_otherwise() -> None:
    two = declared(deployment(), ignoreChanges=["*"])
    live = edited(
        LIVE,
        lambda live: container(live).update(image="shop:2"),
        owner("kubectl-edit", at(*CONTAINER, "image")),
        forget=(*CONTAINER, "image"),
    )
    assert list(fields(drifted(two, live))) == [f"{POD}[web].image"]


def test_a_field_that_is_as_declared_but_somebody_elses_stands_beside() -> None:
    by = owner("kubectl-edit", at(*CONTAINER, "image"))
    found = drifted(WEB, edited(LIVE, lambda _: None, by, forget=(*CONTAINER, "image")))
    assert (fields(found), beside(found)) == ({}, {f"{POD}[web].image": "kubectl-edit"})


def test_what_turnout_itself_applied_since_is_not_others_work() -> None:
    later = owner("turnout", at(*CONTAINER, "image"), operation="Apply")
    live = edited(LIVE, lambda live: container(live).update(image="shop:2"), later, forget=(*CONTAINER, "image"))
    found = drifted(WEB, live)
    assert (fields(found), beside(found)) == ({}, {f"{POD}[web].image": "turnout"})
    both = edited(live, lambda _: None, owner("kubectl-edit", at(*CONTAINER, "image")))
    assert list(fields(drifted(WEB, both))) == [f"{POD}[web].image"]


def test_a_deleted_object_and_one_made_again() -> None:
    gone = drifted(WEB, None)
    assert gone
    assert (gone.fate, gone.counts) == (Fate.DELETED, True)
    again = live_of(deployment(), "kubectl-create")
    again["metadata"]["uid"] = "u-2"
    found = drifted(WEB, again)
    assert found
    assert (found.fate, found.by[0].manager, found.fields, found.beside) == (Fate.REMADE, "kubectl-create", (), ())
    restored = live_of(deployment(), "turnout", "Apply")
    restored["metadata"]["uid"] = "u-2"
    assert drifted(WEB, restored) is None


def test_within_a_whole_that_others_wrote_a_new_key_is_theirs_and_a_default_is_not() -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": "dev"},
        "spec": {"egress": [{"ports": [{"port": 53}]}]},
    }
    made = live_of(policy)
    made["spec"]["egress"][0]["ports"][0]["protocol"] = "TCP"
    one = declared(policy, outputs=made)

    def change(live: dict[str, Any]) -> None:
        live["spec"]["egress"][0]["ports"][0]["endPort"] = 99

    live = edited(made, change, owner("kubectl-edit", at("spec", "egress")), forget=("spec", "egress"))
    assert fields(drifted(one, live)) == {"spec.egress[0].ports[0].endPort": ("added", ABSENT, 99, "kubectl-edit")}


def secret(data: Any, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "dev", **metadata},
        "data": data,
    }


def test_a_secret_named_by_its_content_needs_no_key() -> None:
    value = base64.b64encode(b"hush").decode()
    labels = {CONTENT_LABEL: content_hash({"key": Secret(value)})}
    one = declared(secret(sealed("v1:x"), labels=labels))
    assert drifted(one, live_of(secret({"key": value}, labels=labels))) is None
    other = base64.b64encode(b"other").decode()
    found = drifted(one, live_of(secret({"key": other}, labels=labels)))
    assert fields(found) == {"data": ("changed", SECRET, SECRET, "pulumi-kubernetes")}
    assert other not in str(found)


def test_other_secrets_by_their_values_where_they_open_else_by_who_wrote_them() -> None:
    live = edited(
        live_of(secret({"key": "b2xk"})),
        lambda live: live["data"].update(key="bmV3"),
        owner("kubectl-edit", at("data", "key")),
        forget=("data", "key"),
    )
    closed = declared(secret(sealed("v1:x")))
    assert fields(drifted(closed, live)) == {"data.key": ("changed", SECRET, SECRET, "kubectl-edit")}
    assert drifted(closed, live_of(secret({"key": "b2xk"}))) is None
    told = {**secret(None), "stringData": plain({"key": "old"})}
    assert fields(drifted(declared(told), live)) == {"data.key": ("changed", SECRET, SECRET, "kubectl-edit")}
    assert drifted(declared(told), live_of(secret({"key": "b2xk"}))) is None


def test_the_secrets_of_an_object_stay_sealed_in_whatever_is_shown() -> None:
    spec = deployment()["spec"]
    spec["template"]["spec"]["containers"][0]["image"] = plain("hush-4be1")
    one = declared({**deployment(), "spec": spec})
    found = drifted(one, LIVE)
    assert fields(found) == {f"{POD}[web].image": ("changed", SECRET, SECRET, "pulumi-kubernetes")}
    assert "hush" not in repr(one) + repr(found)


def test_a_value_whose_name_calls_it_a_secret_is_not_shown() -> None:
    added = {"name": "DB_PASSWORD", "value": "hush-4be1"}
    leaf = {'k:{"name":"DB_PASSWORD"}': tree(added, "item")}
    live = edited(
        LIVE, lambda live: container(live)["env"].append(added), owner("kubectl-set", at(*CONTAINER, "env", leaf=leaf))
    )
    [(what, _, shown, _)] = fields(drifted(WEB, live)).values()
    assert (what, shown) == ("added", {"name": "DB_PASSWORD", "value": SECRET})


def test_what_the_clusters_own_controllers_add_is_no_drift_and_what_they_change_is() -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "dev"},
        "spec": {"storageClassName": "fast"},
    }
    bound = edited(
        live_of(claim),
        lambda live: live["spec"].update(volumeName="pv-1"),
        owner("kube-controller-manager", at("spec", "volumeName")),
    )
    assert drifted(declared(claim), bound) is None
    by_hand = edited(
        live_of(claim),
        lambda live: live["spec"].update(volumeName="pv-1"),
        owner("kubectl-edit", at("spec", "volumeName")),
    )
    assert list(fields(drifted(declared(claim), by_hand))) == ["spec.volumeName"]
    moved = edited(
        live_of(claim),
        lambda live: live["spec"].update(storageClassName="slow"),
        owner("kube-controller-manager", at("spec", "storageClassName")),
        forget=("spec", "storageClassName"),
    )
    assert list(fields(drifted(declared(claim), moved))) == ["spec.storageClassName"]
