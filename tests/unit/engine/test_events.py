from __future__ import annotations

import json
from typing import Any

from cli import protocol
from cli.engine.events import Fold, Message, parse
from cli.engine.model import ABSENT, SECRET, UNKNOWN, Change, FieldChange, Operation

PREFIX = "urn:pulumi:dev::turnout::"
STACK = f"{PREFIX}pulumi:pulumi:Stack::turnout-dev"
APP = f"{PREFIX}turnout:app:App::app"
API = f"{PREFIX}turnout:app:App$turnout:workload:Workload::api"
DEPLOYMENT_TYPE = "kubernetes:apps/v1:Deployment"
DEPLOYMENT = f"{PREFIX}turnout:app:App$turnout:workload:Workload${DEPLOYMENT_TYPE}::dev/api-a"
SECRET_VALUE = {protocol.SIGNATURE: protocol.SECRET, "ciphertext": "[secret]"}


def side(parent: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"parent": parent, "inputs": inputs, "outputs": {}, "custom": True, **more}


def step(op: str, urn: str, old: Any = None, new: Any = None, **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": urn, "type": urn.split("::")[2].rsplit("$", 1)[-1], "old": old, "new": new, **more}


def fold(*events: dict[str, Any], refreshing: bool = False) -> Fold:
    result = Fold(refreshing=refreshing)
    for event in events:
        if parsed := parse(json.dumps(event)):
            result.add(parsed)
    return result


def pre(metadata: dict[str, Any]) -> dict[str, Any]:
    return {"resourcePreEvent": {"metadata": metadata, "planning": True}}


def done(metadata: dict[str, Any]) -> dict[str, Any]:
    return {"resOutputsEvent": {"metadata": metadata}}


ANCESTORS = (
    pre(step("same", STACK, side("", {}), side("", {}))),
    pre(step("same", APP, side(STACK, {}), side(STACK, {}))),
    pre(step("same", API, side(APP, {}), side(APP, {}))),
)


def deployment(image: str, **more: Any) -> dict[str, Any]:
    return side(API, {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}, **more)


def test_an_update_is_told_by_component_with_its_fields_and_effect() -> None:
    path = "spec.template.spec.containers[0].image"
    detailed = {path: {"diffKind": "update", "inputDiff": True}}
    update = step("update", DEPLOYMENT, deployment("a:1"), deployment("a:2"), detailedDiff=detailed)
    found = fold(*ANCESTORS, pre(update))
    assert found.changes() == (
        Change(
            DEPLOYMENT,
            DEPLOYMENT_TYPE,
            "dev/api-a",
            Operation.UPDATE,
            component="app/api",
            fields=(FieldChange(path, "a:1", "a:2"),),
        ),
    )
    assert found.counts() == {"same": 2, "update": 1}


def test_an_update_for_the_sake_of_readiness_alone_says_so() -> None:
    old, new = deployment("a:1", initErrors=["dev/api-a is not ready"]), deployment("a:1")
    [change] = fold(*ANCESTORS, pre(step("update", DEPLOYMENT, old, new))).changes()
    assert (change.operation, change.fields, change.again) == (Operation.UPDATE, (), True)


def test_what_counts_copies_and_stays_as_it_is_is_told_apart() -> None:
    same = pre(step("same", DEPLOYMENT, deployment("a:1"), deployment("a:1")))
    found = fold(*ANCESTORS, same)
    [still] = found.still()
    assert (still.urn, still.operation, still.fields, still.component) == (DEPLOYMENT, Operation.SAME, (), "app/api")
    assert still.after["spec"]
    assert found.changes() == ()


def test_a_component_is_counted_and_not_told() -> None:
    new = {key: value for key, value in side(APP, {}).items() if key != "custom"}
    found = fold(*ANCESTORS, pre(step("create", f"{PREFIX}turnout:app:App$turnout:workload:Workload::web", None, new)))
    assert (found.changes(), found.counts()) == ((), {"create": 1, "same": 2})


def test_secrets_are_never_shown_and_unknowns_are_not_certain() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    old = side(API, {"data": {"key": SECRET_VALUE}, "id": "a"})
    new = side(API, {"data": {"key": SECRET_VALUE}, "id": unknown})
    detailed = {kind: {"diffKind": "update", "inputDiff": True} for kind in ("data.key", "id")}
    (change,) = fold(pre(step("update", DEPLOYMENT, old, new, detailedDiff=detailed))).changes()
    assert change.fields == (
        FieldChange("data.key", SECRET, SECRET, secret=True),
        FieldChange("id", "a", UNKNOWN, certain=False),
    )


def test_the_steps_of_a_replacement_are_one_change() -> None:
    detailed = {"spec.selector": {"diffKind": "update-replace", "inputDiff": True}}
    old, new = side(API, {"spec": {"selector": "a"}}), side(API, {"spec": {"selector": "b"}})
    found = fold(
        pre(step("create-replacement", DEPLOYMENT, old, new, detailedDiff=detailed)),
        pre(step("replace", DEPLOYMENT, old, new, detailedDiff=detailed)),
        pre(step("delete-replaced", DEPLOYMENT, old, None)),
    )
    (change,) = found.changes()
    assert change.operation is Operation.REPLACE
    assert change.fields == (FieldChange("spec.selector", "a", "b", replaces=True),)
    assert found.counts() == {"replace": 1}


def test_a_retained_resource_is_not_a_deletion() -> None:
    kept = pre(step("delete", DEPLOYMENT, deployment("a:1", retainOnDelete=True)))
    assert fold(kept).counts() == {"retain": 1}
    assert fold(pre(step("delete", DEPLOYMENT, deployment("a:1")))).counts() == {"delete": 1}


def test_without_a_providers_list_the_inputs_are_compared() -> None:
    (change,) = fold(pre(step("update", APP, side(STACK, {"a": 1, "b": 2}), side(STACK, {"a": 1, "c": 3})))).changes()
    assert change.fields == (FieldChange("b", 2, ABSENT), FieldChange("c", ABSENT, 3))


def test_default_providers_and_the_stack_are_no_changes() -> None:
    provider = f"{PREFIX}pulumi:providers:kubernetes::default_4_34_2"
    assert fold(pre(step("create", provider, None, side("", {}))), pre(step("create", STACK))).changes() == ()


def test_a_failure_carries_what_was_said_about_it() -> None:
    said = {"diagnosticEvent": {"severity": "error", "message": "3 pods crash\n", "color": "", "urn": DEPLOYMENT}}
    failed = {"resOpFailedEvent": {"metadata": step("create", DEPLOYMENT, None, deployment("a:1"))}}
    found = fold(pre(step("create", DEPLOYMENT, None, deployment("a:1"))), said, failed)
    assert [(entry.urn, entry.message) for entry in found.failures()] == [(DEPLOYMENT, "3 pods crash")]


def test_a_status_for_the_moment_is_no_diagnostic() -> None:
    status = {"severity": "info", "message": "0/3 ready", "color": "", "urn": DEPLOYMENT, "ephemeral": True}
    assert parse(json.dumps({"diagnosticEvent": status})) == Message("info", "0/3 ready", DEPLOYMENT, True)
    assert fold({"diagnosticEvent": status}).diagnostics() == ()


def test_a_refresh_tells_what_was_found_not_that_it_looked() -> None:
    looked = pre(step("refresh", DEPLOYMENT, deployment("a:1"), deployment("a:1")))
    moved = done(step("update", DEPLOYMENT, deployment("a:1"), deployment("a:2")))
    found = fold(looked, moved, done(step("same", API, side(APP, {}), side(APP, {}))), refreshing=True)
    assert found.counts() == {"same": 1, "update": 1}


def test_outputs_of_the_stack_hide_secrets() -> None:
    outputs = {"url": "http://api", "token": SECRET_VALUE}
    found = fold(done(step("same", STACK, None, side("", {}, outputs=outputs) | {"outputs": outputs})))
    assert found.outputs() == {"url": "http://api", "token": SECRET}


def test_named_items_are_compared_by_name_not_by_position() -> None:
    def env(*names: str) -> dict[str, Any]:
        variables = [{"name": name, "value": name.lower()} for name in names]
        return side(API, {"spec": {"containers": [{"name": "api", "env": variables}]}})

    moved = {f"spec.containers[0].env[{index}].name": {"diffKind": "update", "inputDiff": True} for index in (0, 1)}
    moved["spec.containers[0].env[2]"] = {"diffKind": "add", "inputDiff": True}
    (change,) = fold(pre(step("update", DEPLOYMENT, env("B", "C"), env("A", "B", "C"), detailedDiff=moved))).changes()
    assert change.fields == (FieldChange("spec.containers.api.env.A", ABSENT, {"name": "A", "value": "a"}),)


def test_drift_in_a_named_list_leaves_out_what_the_server_filled_in() -> None:
    asked = {"spec": {"containers": [{"name": "api", "image": "a:1"}]}}
    live = {"spec": {"containers": [{"name": "api", "image": "a:0", "imagePullPolicy": "Always"}]}}
    detailed = {"spec.containers[0].image": {"diffKind": "update", "inputDiff": False}}
    old, new = side(API, asked) | {"outputs": live}, side(API, asked)
    (change,) = fold(pre(step("update", DEPLOYMENT, old, new, detailedDiff=detailed))).changes()
    assert change.fields == (FieldChange("spec.containers.api.image", "a:0", "a:1"),)


def test_several_errors_are_one_line_each() -> None:
    said = {"severity": "error", "message": "2 errors occurred:\n\t* a\n\t* b\n\n", "color": "", "urn": DEPLOYMENT}
    assert parse(json.dumps({"diagnosticEvent": said})) == Message("error", "a\nb", DEPLOYMENT, False)
