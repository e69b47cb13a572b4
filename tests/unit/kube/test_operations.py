from typing import Any

import pytest

from cli.kube.errors import AlreadyExists, Conflict, Expired, Forbidden, KubeError, UnknownKind, Unreachable
from cli.kube.operations import HAND_OVER_PAUSES, Server
from cli.kube.requests import Write, warnings
from cli.kube.retry import Policy
from tests.unit.kube.script import Script, answer, lost, refusal

CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c", "namespace": "dev"},
    "data": {"a": "1"},
}
WRITE = Write("turnout")


def server() -> Server:
    return Server(Policy(attempts=4, jitter=lambda: 0.0))


def test_a_busy_server_is_asked_again_after_the_time_that_it_names() -> None:
    script = Script(answer(429, **{"retry-after": "7"}), answer(200, CONFIG_MAP))
    assert script.run(server().get("v1", "ConfigMap", "c", "dev")) == CONFIG_MAP
    assert script.pauses == [7.0]


def test_a_server_that_stays_busy_is_given_up_on() -> None:
    script = Script(*[answer(503)] * 4)
    with pytest.raises(KubeError):
        script.run(server().get("v1", "ConfigMap", "c", "dev"))
    assert len(script.asked) == 4
    assert script.pauses == [0.1, 0.2, 0.4]


@pytest.mark.parametrize(("status", "reason"), [(401, "Unauthorized"), (403, "Forbidden")])
def test_a_missing_right_is_never_asked_for_twice(status: int, reason: str) -> None:
    script = Script(refusal(status, reason))
    with pytest.raises(KubeError):
        script.run(server().get("v1", "ConfigMap", "c", "dev"))
    assert len(script.asked) == 1 and not script.pauses


def test_a_missing_right_is_named_with_the_command_that_checks_it() -> None:
    message = (
        'configmaps is forbidden: User "ci" cannot create resource "configmaps" in API group "" in the namespace "dev"'
    )
    with pytest.raises(Forbidden) as caught:
        Script(refusal(403, "Forbidden", message, kind="configmaps")).run(server().create(CONFIG_MAP, WRITE))
    assert caught.value.why == message
    assert caught.value.next.endswith("kubectl auth can-i create configmaps --namespace dev")


def test_a_lost_read_is_repeated() -> None:
    assert Script(lost(), answer(200, CONFIG_MAP)).run(server().get("v1", "ConfigMap", "c", "dev")) == CONFIG_MAP


def test_a_create_that_was_accepted_before_the_connection_broke_is_read_back() -> None:
    live = {**CONFIG_MAP, "metadata": {**CONFIG_MAP["metadata"], "managedFields": [{"manager": "turnout"}]}}  # type: ignore[dict-item]
    script = Script(lost(), answer(200, live))
    assert script.run(server().create(CONFIG_MAP, WRITE)) == live
    assert [request.method for request in script.asked] == ["POST", "GET"]


def test_a_create_that_never_arrived_is_sent_again() -> None:
    script = Script(lost(), refusal(404, "NotFound"), answer(201, CONFIG_MAP))
    script.run(server().create(CONFIG_MAP, WRITE))
    assert [request.method for request in script.asked] == ["POST", "GET", "POST"]


def test_somebody_elses_object_is_not_taken_for_our_own() -> None:
    live = {**CONFIG_MAP, "metadata": {**CONFIG_MAP["metadata"], "managedFields": [{"manager": "kubectl"}]}}  # type: ignore[dict-item]
    with pytest.raises(AlreadyExists):
        Script(lost(), answer(200, live)).run(server().create(CONFIG_MAP, WRITE))


def test_an_unrepeatable_write_with_unknown_outcome_says_so() -> None:
    with pytest.raises(Unreachable) as caught:
        Script(lost()).run(server().replace(CONFIG_MAP, WRITE))
    assert "unknown" in caught.value.why


def test_every_page_of_a_list_is_read() -> None:
    pages = [
        answer(200, {"metadata": {"resourceVersion": "5", "continue": "more"}, "items": [{"metadata": {"name": "a"}}]}),
        answer(200, {"metadata": {"resourceVersion": "5"}, "items": [{"metadata": {"name": "b"}}]}),
    ]
    script = Script(*pages)
    found = script.run(server().list("v1", "Pod", "dev", labels="app=x"))
    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]
    assert found["items"][0]["kind"] == "Pod"
    assert script.asked[1].params["continue"] == "more"


def test_other_kinds_are_asked_for_once() -> None:
    group = {"groupVersion": "e.io/v1", "resources": [{"name": "ws", "kind": "W", "namespaced": True}]}
    one = server()
    script = Script(answer(200, group), answer(200, {}), answer(200, {}))
    script.run(one.get("e.io/v1", "W", "w", "dev"))
    script.run(one.get("e.io/v1", "W", "w", "dev"))
    assert [request.path for request in script.asked] == [
        "/apis/e.io/v1",
        *["/apis/e.io/v1/namespaces/dev/ws/w"] * 2,
    ]


def test_a_kind_that_nobody_serves_is_named() -> None:
    one = server()
    with pytest.raises(UnknownKind, match=r"no kind W in e.io/v1"):
        Script(refusal(404, "NotFound")).run(one.get("e.io/v1", "W", "w"))
    assert Script(refusal(404, "NotFound")).run(one.find("e.io/v1", "W", "w")) is None


def test_a_conflict_names_manager_and_field_and_what_to_do() -> None:
    cause = {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "hpa" using apps/v1',
        "field": ".spec.replicas",
    }
    with pytest.raises(Conflict) as caught:
        Script(refusal(409, "Conflict", causes=[cause])).run(server().apply(CONFIG_MAP, WRITE))
    assert [(claim.manager, claim.field) for claim in caught.value.claims] == [("hpa", ".spec.replicas")]
    assert "hpa owns .spec.replicas" in str(caught.value)
    assert "ignoreChanges" in caught.value.next and "patchForce" in caught.value.next


def test_a_stale_version_is_no_owners_conflict() -> None:
    with pytest.raises(Conflict) as caught:
        Script(refusal(409, "Conflict")).run(server().replace(CONFIG_MAP, WRITE))
    assert caught.value.claims == ()


def test_an_old_watch_is_told_apart() -> None:
    with pytest.raises(Expired):
        Script(refusal(410, "Expired")).run(server().list("v1", "Pod"))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (refusal(404, "NotFound"), "absent"),
        (answer(200, {"kind": "Status", "status": "Success"}), "gone"),
        (answer(200, {"kind": "Deployment", "metadata": {"deletionTimestamp": "x"}}), "going"),
    ],
)
def test_a_deletion_tells_whether_there_is_something_to_wait_for(reply: object, expected: str) -> None:
    assert Script(reply).run(server().delete("apps/v1", "Deployment", "d", "dev")) == expected  # type: ignore[arg-type]


def test_writes_carry_manager_dry_run_and_force() -> None:
    script = Script(answer(200, {}), answer(200, {}))
    script.run(server().apply(CONFIG_MAP, Write("turnout", dry_run=True, force=True)))
    assert script.asked[0].params == {
        "fieldManager": "turnout",
        "dryRun": "All",
        "force": "true",
        "fieldValidation": "Warn",
    }
    script.run(server().create(CONFIG_MAP, Write("turnout", force=True)))
    assert "force" not in script.asked[1].params


def test_warnings_are_read_from_their_headers() -> None:
    header = '299 - "unknown field \\"spec.foo\\"", 299 - "policy/v1beta1 is deprecated"'
    assert warnings([header]) == ['unknown field "spec.foo"', "policy/v1beta1 is deprecated"]


def posted() -> dict[str, Any]:
    fields = {"manager": "pulumi-kubernetes", "operation": "Update", "fieldsV1": {"f:data": {}}}
    return {
        **CONFIG_MAP,
        "metadata": {"name": "c", "namespace": "dev", "resourceVersion": "1", "managedFields": [fields]},
    }


def test_a_hand_over_is_tried_until_controllers_leave_a_moment_for_it() -> None:
    tries = [refusal(422, "Invalid"), answer(200, posted())] * 4
    script = Script(*tries, answer(200, CONFIG_MAP))
    assert script.run(server().hand_over(posted(), "turnout")) == CONFIG_MAP
    assert [request.method for request in script.asked] == ["PATCH", "GET"] * 4 + ["PATCH"]


def test_a_hand_over_that_never_succeeds_is_an_error_not_a_field_that_stays() -> None:
    tries = [refusal(409, "Conflict"), answer(200, posted())] * len(HAND_OVER_PAUSES)
    with pytest.raises(Conflict):
        Script(*tries, refusal(409, "Conflict")).run(server().hand_over(posted(), "turnout"))
