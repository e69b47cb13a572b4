"""The provider against a real API server: what an engine asks for is what is there, and nothing else."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cli.provider.values import UNKNOWN, Secret
from tests.integration.provider import Engine, Failed, Provider
from tests.integration.provider_fixtures import MANAGED, Live, config_map, deployment, service

pytestmark = pytest.mark.cluster
CONFIG_MAP, SECRET, SERVICE = "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret", "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SKIP = {"pulumi.com/skipAwait": "true"}


def test_an_objects_whole_life(engine: Engine, live: Live) -> None:
    wanted = {"metadata": {"annotations": MANAGED}, "data": {"a": "1"}}
    made = engine.create(CONFIG_MAP, "life", wanted)
    name = made.inputs["metadata"]["name"]
    assert made.id == f"{live.namespace}/{name}" and name.startswith("life-")
    assert made.outputs["__inputs"] == made.inputs and made.outputs["__fieldManager"] == "turnout"
    assert made.outputs["metadata"]["uid"] == live.get("ConfigMap", name)["metadata"]["uid"]
    assert engine.diff(made, wanted).kind == "DIFF_NONE"

    labelled = {"metadata": {"annotations": MANAGED, "labels": {"x": "y"}}, "data": {"a": "1"}}
    assert engine.diff(made, labelled).fields == {"metadata.labels": "ADD"}
    changed = engine.update(made, labelled)
    assert live.get("ConfigMap", name)["metadata"]["labels"] == {"x": "y"}
    assert engine.diff(changed, labelled).kind == "DIFF_NONE"

    read = engine.read(changed)
    assert read is not None and read.inputs == changed.inputs and engine.diff(read, labelled).kind == "DIFF_NONE"
    engine.delete(changed)
    assert not live.is_there("ConfigMap", name)
    assert engine.read(changed) is None
    engine.delete(changed)


def test_a_removed_field_is_really_removed_on_the_first_update(engine: Engine, live: Live) -> None:
    made = engine.create(DEPLOYMENT, "env", deployment("env", env={"A": "1", "B": "2"}, annotations=SKIP))
    engine.update(made, deployment("env", env={"A": "1"}, annotations=SKIP))
    found = live.get("Deployment", "env", "apps/v1")
    assert [row["name"] for row in found["spec"]["template"]["spec"]["containers"][0]["env"]] == ["A"]
    managers = {(row["manager"], row["operation"]) for row in found["metadata"]["managedFields"]}
    assert ("turnout", "Apply") in managers and ("pulumi-kubernetes", "Update") not in managers


def test_a_selector_that_the_rollout_moved_is_left_to_it(engine: Engine, live: Live) -> None:
    made = engine.create(SERVICE, "moved", service("moved"))
    live.patch("Service", "moved", {"spec": {"selector": {"app": "b"}}}, "turnout-rollout")
    wanted = service("moved", label="2")
    assert engine.diff(made, wanted, ["spec.selector"]).fields == {"metadata.labels.step": "UPDATE"}
    assert engine.update(made, wanted, ignore=["spec.selector"], preview=True)
    updated = engine.update(made, wanted, ignore=["spec.selector"])
    found = live.get("Service", "moved")
    assert found["spec"]["selector"] == {"app": "b"} and found["metadata"]["labels"] == {"step": "2"}
    owner = next(row for row in found["metadata"]["managedFields"] if row["manager"] == "turnout-rollout")
    assert owner["fieldsV1"] == {"f:spec": {"f:selector": {}}}
    read = engine.read(updated)
    assert read is not None and engine.diff(read, wanted, ["spec.selector"]).kind == "DIFF_NONE"


def test_a_replica_count_that_somebody_scaled_is_left_alone_where_it_is_ignored(engine: Engine, live: Live) -> None:
    made = engine.create(DEPLOYMENT, "scaled", deployment("scaled", annotations=SKIP))
    live.patch("Deployment", "scaled", {"spec": {"replicas": 3}}, "autoscaler", "apps/v1")
    engine.update(made, deployment("scaled", env={"A": "1"}, annotations=SKIP), ignore=["spec.replicas"])
    assert live.get("Deployment", "scaled", "apps/v1")["spec"]["replicas"] == 3


def test_a_conflict_names_the_manager_the_field_and_the_way_out(engine: Engine, live: Live) -> None:
    made = engine.create(SERVICE, "fought", service("fought"))
    live.patch("Service", "fought", {"spec": {"selector": {"app": "theirs"}}}, "somebody-else")
    with pytest.raises(Failed, match=r"somebody-else owns \.spec\.selector") as caught:
        engine.update(made, service("fought", app="ours"))
    assert "pulumi.com/patchForce" in str(caught.value)
    assert live.get("Service", "fought")["spec"]["selector"] == {"app": "theirs"}
    forced = service("fought", app="ours")
    forced["metadata"]["annotations"]["pulumi.com/patchForce"] = "true"
    engine.update(made, forced)
    assert live.get("Service", "fought")["spec"]["selector"] == {"app": "ours"}


def test_previews_change_nothing(engine: Engine, live: Live) -> None:
    foreseen = engine.create(SERVICE, "foreseen", service("foreseen"), preview=True)
    assert foreseen.id == "" and foreseen.outputs["spec"]["type"] == "ClusterIP"
    assert "uid" not in foreseen.outputs["metadata"] and not live.is_there("Service", "foreseen")
    made = engine.create(CONFIG_MAP, "kept", config_map("kept", a="1"))
    changed = engine.update(made, {**config_map("kept", a="1"), "immutable": True}, preview=True)
    assert changed.outputs["immutable"] is True and "immutable" not in live.get("ConfigMap", "kept")


def test_a_preview_tells_what_the_server_would_refuse(engine: Engine) -> None:
    with pytest.raises(Failed, match="the API server refuses it: create Service"):
        engine.create(SERVICE, "bad", {**service("bad"), "spec": {"ports": [{"port": 99999999}]}}, preview=True)


def test_a_preview_before_the_hand_over_sees_a_moved_port(engine: Engine) -> None:
    def at(port: int) -> dict[str, Any]:
        return {**service("moving"), "spec": {"ports": [{"name": "http", "port": port}]}}

    made = engine.create(SERVICE, "moving", at(80))
    foreseen = engine.update(made, at(81), ignore=["spec.selector"], preview=True)
    assert [port["port"] for port in foreseen.outputs["spec"]["ports"]] == [81]
    assert foreseen.outputs["spec"].get("selector") == made.outputs["spec"].get("selector")
    with pytest.raises(Failed, match="99999999"):
        engine.update(made, at(99999999), preview=True)


def test_a_misspelled_field_is_warned_about(engine: Engine, running: Provider) -> None:
    engine.create(CONFIG_MAP, "misspelled", {**config_map("misspelled", a="1"), "dta": {"b": "2"}}, preview=True)
    assert 'unknown field "dta"' in running.statuses.seen


def test_unknown_values_are_passed_on_in_a_preview(engine: Engine) -> None:
    foreseen = engine.create(CONFIG_MAP, "later", {"metadata": {"name": "later"}, "data": {"a": UNKNOWN}}, preview=True)
    assert foreseen.outputs["data"] == {"a": UNKNOWN}


def test_secrets_stay_secret_in_the_state(engine: Engine) -> None:
    made = engine.create(SECRET, "key", {"metadata": {"name": "key"}, "stringData": {"p": Secret("hunter2")}})
    assert made.inputs["data"] == Secret({"p": "aHVudGVyMg=="}) and "stringData" not in made.inputs
    assert made.outputs["data"] == made.outputs["__inputs"]["data"] == made.inputs["data"]
    assert engine.diff(made, {"metadata": {"name": "key"}, "stringData": {"p": Secret("hunter2")}}).kind == "DIFF_NONE"
    other = engine.diff(made, {"metadata": {"name": "key"}, "stringData": {"p": Secret("other")}})
    assert other.replaces == ["data.p"] and other.delete_first
    read = engine.read(made)
    assert read is not None and isinstance(read.outputs["data"], Secret) and isinstance(read.inputs["data"], Secret)


def test_an_object_that_is_there_already_is_refused_or_adopted(engine: Engine, running: Provider, live: Live) -> None:
    frozen = {**config_map("shared", a="1"), "immutable": True}
    engine.create(CONFIG_MAP, "shared", frozen)
    with pytest.raises(Failed, match=r"it exists already: create ConfigMap[^$]*turnout state list ENV"):
        engine.create(CONFIG_MAP, "shared", frozen)
    adopting = running.engine(namespace=live.namespace, upsertExistingObjects="true")
    adopting.create(CONFIG_MAP, "other-shared", {**config_map("adopted", a="1"), "immutable": True})
    again = adopting.create(CONFIG_MAP, "other-shared", {**config_map("adopted", a="1"), "immutable": True})
    assert again.id == f"{live.namespace}/adopted"
    with pytest.raises(Failed, match="it exists already"):
        engine.create(CONFIG_MAP, "shared", frozen)


def test_a_patch_owns_its_fields_and_gives_them_back(engine: Engine, live: Live) -> None:
    live.kube.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "theirs", "namespace": live.namespace},
            "data": {"a": "1"},
        },
        "somebody-else",
    )
    token = "kubernetes:core/v1:ConfigMapPatch"

    def patch(**data: str) -> dict[str, object]:
        return {"kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": data}

    made = engine.create(token, "patch", patch(b="2"))
    assert live.get("ConfigMap", "theirs")["data"] == {"a": "1", "b": "2"}
    assert engine.diff(made, patch(b="3")).fields == {"data.b": "UPDATE"}
    changed = engine.update(made, patch(b="3"))
    assert changed.outputs["__fieldManager"] == made.outputs["__fieldManager"]
    with pytest.raises(Failed, match=r"somebody-else owns \.data\.a"):
        engine.update(changed, patch(a="9"))
    engine.delete(changed)
    assert live.get("ConfigMap", "theirs")["data"] == {"a": "1"}


def test_custom_resources_of_a_kind_that_was_just_made(engine: Engine, live: Live) -> None:
    group = f"t{live.namespace}.example.com"
    schema = {"openAPIV3Schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}}
    definition = {
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    token = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    crd = engine.create(token, "crd", definition)
    try:
        assert engine.diff(crd, definition).kind == "DIFF_NONE"
        widget = engine.create(f"kubernetes:{group}/v1:Widget", "w", {"metadata": {"name": "w"}, "spec": {"size": 1}})
        assert widget.id == "w" and widget.outputs["spec"] == {"size": 1}
        bigger = {"metadata": {"name": "w"}, "spec": {"size": 2}}
        assert engine.diff(widget, bigger).fields == {"spec.size": "UPDATE"}
        assert engine.update(widget, bigger).outputs["spec"] == {"size": 2}
        token = f"kubernetes:{group}/v1:WidgetPatch"
        patched = engine.create(token, "p", {"kind": "Widget", "metadata": {"name": "w"}, "spec": {"colour": "red"}})
        assert patched.outputs["spec"] == {"size": 2, "colour": "red"} and patched.outputs["kind"] == "Widget"
        assert engine.diff(patched, patched.inputs).kind == "DIFF_NONE"
        engine.delete(patched)
        assert live.kube.get(f"{group}/v1", "Widget", "w")["spec"] == {"size": 2}
        engine.delete(widget)
    finally:
        engine.delete(crd)
    with pytest.raises(Failed, match="no kind Widget"):
        running_kind = engine.create(f"kubernetes:{group}/v1:Widget", "w2", {"metadata": {"name": "w"}})
        engine.delete(running_kind)


def test_an_import_reads_all_that_could_have_been_asked_for(engine: Engine, live: Live) -> None:
    from tests.integration.provider import Resource, urn

    engine.create(SERVICE, "imported", service("imported"))
    found = engine.read(Resource(urn(SERVICE, "imported"), f"{live.namespace}/imported", {}, {}))
    assert found is not None
    assert found.inputs["spec"]["selector"] == {"app": "a"} and "uid" not in found.inputs["metadata"]
    assert engine.diff(found, found.inputs).kind == "DIFF_NONE"


def test_a_deletion_waits_for_finalizers(engine: Engine, live: Live, running: Provider) -> None:
    held = config_map("held", a="1")
    held["metadata"]["finalizers"] = ["example.com/held"]
    made = engine.create(CONFIG_MAP, "held", held)
    began = time.monotonic()
    with pytest.raises(Failed, match=r"still being deleted \(held by example.com/held\)"):
        engine.delete(made, seconds=2)
    assert time.monotonic() - began < 30
    assert any("held by example.com/held" in text for text in running.statuses.seen)
    live.patch("ConfigMap", "held", {"metadata": {"finalizers": None}}, "turnout-test")
    engine.delete(made)
    assert not live.is_there("ConfigMap", "held")


def test_an_object_deleted_outside_is_told_with_the_next_command(engine: Engine, live: Live) -> None:
    made = engine.create(CONFIG_MAP, "lost", config_map("lost", a="1"))
    live.kube.delete("v1", "ConfigMap", "lost", live.namespace)
    with pytest.raises(Failed, match="turnout refresh"):
        engine.update(made, {**config_map("lost", a="1"), "immutable": True})
