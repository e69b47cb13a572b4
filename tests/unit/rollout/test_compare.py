"""Differences between a recorded object and a live one, as an apply would change it."""

from __future__ import annotations

import copy
from typing import Any

from cli.rollout.compare import differences


def paths(recorded: Any, live: Any, replaced: Any = None) -> list[str]:
    return [row.path for row in differences(recorded, live, replaced)]


def test_equal_objects_differ_in_nothing_whatever_the_server_added(make: Any) -> None:
    recorded = make.deployment("api", "1", env={"A": "1"})
    live = copy.deepcopy(recorded)
    live["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    live["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"] = "/dev/termination-log"
    live["metadata"] |= {"uid": "1", "annotations": {"deployment.kubernetes.io/revision": "3"}}
    live["status"] = {"replicas": 2}
    assert paths(recorded, live) == []


def test_changed_image_is_one_difference(make: Any) -> None:
    [row] = differences(make.deployment("api", "1"), make.deployment("api", "2"))
    assert (row.path, row.live, row.recorded) == ("spec.template.spec.containers[api].image", "api:2", "api:1")
    assert str(row) == "spec.template.spec.containers[api].image: api:2 → api:1"


def test_items_are_told_apart_by_name_not_by_place(make: Any) -> None:
    recorded = make.deployment("api", "1", env={"A": "1", "B": "2"})
    live = make.deployment("api", "1", env={"B": "2", "A": "0"})
    assert paths(recorded, live) == ["spec.template.spec.containers[api].env[A].value"]


def test_variable_that_the_left_release_added_goes(make: Any) -> None:
    recorded, left = (
        make.deployment("api", "1", env={"A": "1"}),
        make.deployment("api", "1", env={"A": "1", "NEW": "2"}),
    )
    [row] = differences(recorded, left, left)
    assert (row.path, row.recorded) == ("spec.template.spec.containers[api].env[NEW]", None)


def test_field_that_turnout_applied_and_the_record_lacks_goes(make: Any) -> None:
    recorded = make.deployment("api", "1")
    live = copy.deepcopy(recorded)
    live["spec"]["minReadySeconds"] = 5
    live["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "protocol": "TCP"}]
    container: dict[str, Any] = {"f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}}}}
    pod = {"f:containers": {'k:{"name":"api"}': {".": {}, "f:name": {}, "f:image": {}, **container}}}
    owned = {"f:spec": {"f:minReadySeconds": {}, "f:template": {"f:spec": pod}}}
    live["metadata"]["managedFields"] = [{"manager": "turnout", "operation": "Apply", "fieldsV1": owned}]
    assert paths(recorded, live) == ["spec.minReadySeconds", "spec.template.spec.containers[api].ports"]


def test_field_of_another_manager_stays(make: Any) -> None:
    recorded = make.deployment("api", "1")
    live = copy.deepcopy(recorded)
    live["spec"]["paused"] = True
    live["metadata"]["managedFields"] = [
        {"manager": "somebody", "operation": "Apply", "fieldsV1": {"f:spec": {"f:paused": {}}}}
    ]
    assert paths(recorded, live) == []


def test_config_map_key_that_is_gone_and_one_that_changed(make: Any) -> None:
    recorded, live = make.config_map("c", a="1", b="2"), make.config_map("c", a="0")
    assert paths(recorded, live) == ["data.a", "data.b"]


def test_long_and_missing_values_stay_readable(make: Any) -> None:
    [row] = differences(make.config_map("c", a="x" * 500), make.config_map("c"))
    assert str(row) == f"data.a: (none) → {'x' * 57}…"
