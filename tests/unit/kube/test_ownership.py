from typing import Any

from cli.kube.ownership import handover, handover_patch, is_of_others, owners


def entry(manager: str, how: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": how, "fieldsV1": fields, "apiVersion": "v1", **more}


DATA: dict[str, Any] = {"f:data": {"f:a": {}, ".": {}}}


def test_what_a_post_made_goes_to_the_applier() -> None:
    assert handover([entry("pulumi-kubernetes", "Update", DATA)], "turnout") == [entry("turnout", "Apply", DATA)]


def test_fields_are_merged_with_what_the_applier_owns_already() -> None:
    given = [
        entry("turnout", "Apply", {"f:data": {"f:a": {}}}),
        entry("other", "Update", {"f:x": {}}),
        entry("kubectl-edit", "Update", {"f:data": {"f:b": {}}}),
    ]
    assert handover(given, "turnout") == [
        given[1],
        entry("turnout", "Apply", {"f:data": {"f:a": {}, "f:b": {}}}),
    ]


def test_the_rollouts_own_fields_stay_with_it() -> None:
    given = [
        entry("turnout-rollout", "Update", {"f:spec": {"f:selector": {}}}),
        entry("kube-controller-manager", "Update", {"f:status": {}}, subresource="status"),
        entry("kubectl", "Update", {"f:spec": {"f:replicas": {}}}, subresource="scale"),
    ]
    assert handover(given, "turnout") is None


def test_nothing_is_handed_over_twice() -> None:
    first = handover([entry("pulumi-kubernetes", "Update", DATA)], "turnout")
    assert first is not None and handover(first, "turnout") is None


def test_the_patch_fails_when_the_object_has_moved() -> None:
    live = {"metadata": {"resourceVersion": "7", "managedFields": [entry("before-first-apply", "Update", DATA)]}}
    patch = handover_patch(live, "turnout")
    assert patch and patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
    assert patch[1]["value"] == [entry("turnout", "Apply", DATA)]


def test_a_field_is_of_others_only_when_we_have_no_share() -> None:
    theirs = entry("turnout-rollout", "Update", {"f:spec": {"f:selector": {}}})
    ours = entry("turnout", "Apply", {"f:spec": {"f:ports": {}}})
    shared = entry("turnout", "Apply", {"f:spec": {"f:selector": {}}})
    path = ("spec", "selector")
    assert is_of_others([theirs, ours], path, "turnout")
    assert not is_of_others([theirs, shared], path, "turnout")
    assert not is_of_others([ours], path, "turnout")
    assert owners([theirs, ours], path) == ["turnout-rollout"]
