from typing import Any

from cli.provider import state
from cli.provider.values import Secret, encode

INPUTS: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
LIVE: dict[str, Any] = {**INPUTS, "metadata": {"name": "x", "uid": "u"}}


def test_outputs_are_the_live_object_and_who_asked_for_what() -> None:
    marked = {**INPUTS, "data": {"a": Secret("1")}}
    found = state.outputs(INPUTS, LIVE, marked, "v1", "turnout")
    assert found == {
        **LIVE,
        "data": {"a": Secret("1")},
        "__inputs": {**INPUTS, "data": {"a": Secret("1")}},
        "__initialApiVersion": "v1",
        "__fieldManager": "turnout",
    }
    assert state.parse(found) == (INPUTS, LIVE)


def test_a_diff_reads_only_what_was_asked_for() -> None:
    live = {**LIVE, "metadata": {**LIVE["metadata"], "namespace": "dev", "managedFields": [{}]}, "status": {"a": 1}}
    inputs, found = state.parse_asked(encode(state.outputs(INPUTS, live, INPUTS, "v1", "turnout")))
    assert inputs == INPUTS
    assert found == {**INPUTS, "metadata": {"name": "x", "namespace": "dev"}}


def test_the_manager_is_the_annotation_else_the_recorded_one() -> None:
    annotated = {"metadata": {"annotations": {"pulumi.com/patchFieldManager": "turnout"}}}
    assert state.manager(annotated, {"__fieldManager": "old"}, "new") == "turnout"
    assert state.manager(INPUTS, {"__fieldManager": "old"}, "new") == "old"
    assert state.manager(INPUTS, {}, "new") == "new"


def test_schema_keys_are_spelled_as_the_sdks_do() -> None:
    definition = {"kind": "CustomResourceDefinition", "spec": [{"x-kubernetes-int-or-string": True}]}
    found = state.outputs(definition, definition, definition, "v1", "m")
    assert found["spec"] == [{"x_kubernetes_int_or_string": True}]
    assert state.parse(found)[1] == definition


def test_other_objects_keep_their_keys() -> None:
    odd = {**INPUTS, "data": {"x_kubernetes_list_type": "set"}}
    assert state.parse(state.outputs(odd, odd, odd, "v1", "m"))[1] == odd
