from typing import Any

import pytest

from cli.kube.errors import (
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    KubeError,
    Stopped,
    UnknownKind,
    Unreachable,
    Unsettled,
)
from cli.kube.operations import HAND_OVER_PAUSES, Lines, Server
from cli.kube.requests import Answer, Write, warnings
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


def managed(manager: str = "turnout", **more: Any) -> dict[str, Any]:
    return {**CONFIG_MAP, "metadata": {**CONFIG_MAP["metadata"], "managedFields": [{"manager": manager}], **more}}  # type: ignore[dict-item]


def methods(script: Script) -> list[str]:
    return [request.method for request in script.asked]


def test_a_create_that_arrives_after_it_was_read_back_is_found_all_the_same() -> None:
    script = Script(lost(), refusal(404, "NotFound"), refusal(409, "AlreadyExists"), answer(200, managed()))
    assert script.run(server().create(CONFIG_MAP, WRITE)) == managed()
    assert methods(script) == ["POST", "GET", "POST", "GET"]


def test_an_object_that_was_there_before_is_nobodys_lost_create() -> None:
    with pytest.raises(AlreadyExists):
        script = Script(refusal(409, "AlreadyExists"))
        script.run(server().create(CONFIG_MAP, WRITE))
    old = managed(creationTimestamp="2026-11-21T09:00:00Z")
    now = Answer(200, {"date": "Sat, 21 Nov 2026 10:00:00 GMT"}, answer(200, old).body)
    with pytest.raises(AlreadyExists):
        Script(lost(), now).run(server().create(CONFIG_MAP, WRITE))


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_create_whose_answer_was_an_error_is_read_back(status: int) -> None:
    script = Script(answer(status), answer(200, managed()))
    assert script.run(server().create(CONFIG_MAP, WRITE)) == managed()


def test_a_create_that_keeps_failing_is_tried_a_bounded_number_of_times() -> None:
    script = Script(*[answer(500), refusal(404, "NotFound")] * 4)
    with pytest.raises(KubeError, match="answered 500"):
        script.run(server().create(CONFIG_MAP, WRITE))
    assert methods(script) == ["POST", "GET"] * 4


def test_what_the_server_spells_differently_is_recognised_by_the_server_itself() -> None:
    wanted = {**CONFIG_MAP, "kind": "Pod", "spec": {"memory": "1024Mi"}}
    live = {**managed(), "kind": "Pod", "spec": {"memory": "1Gi"}}
    script = Script(lost(), answer(200, live), answer(200, {**live, "status": "new"}))
    assert script.run(server().create(wanted, WRITE)) == live
    assert script.asked[2].params["dryRun"] == "All"
    other = Script(lost(), answer(200, live), answer(200, {**live, "spec": {"memory": "2Gi"}}))
    with pytest.raises(AlreadyExists):
        other.run(server().create(wanted, WRITE))


def test_an_outcome_that_cannot_be_read_back_is_called_unknown() -> None:
    with pytest.raises(Unsettled) as caught:
        Script(lost(), refusal(403, "Forbidden", "no right")).run(server().create(CONFIG_MAP, WRITE))
    assert "unknown" in caught.value.what and "no right" in caught.value.why


VERSIONED = {**CONFIG_MAP, "metadata": {**CONFIG_MAP["metadata"], "resourceVersion": "1"}}  # type: ignore[dict-item]


def test_a_guarded_write_that_was_accepted_unseen_is_no_conflict() -> None:
    live = managed(resourceVersion="2")
    for operation in (
        server().replace(VERSIONED, WRITE),
        server().patch(
            "v1", "ConfigMap", "c", "dev", {"metadata": {"resourceVersion": "1"}, "data": {"a": "1"}}, WRITE
        ),
    ):
        script = Script(lost(), refusal(409, "Conflict"), answer(200, live))
        assert script.run(operation) == live


def test_a_guarded_write_that_somebody_else_overtook_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        Script(refusal(409, "Conflict")).run(server().replace(VERSIONED, WRITE))
    theirs = {**managed(), "data": {"a": "2"}}
    with pytest.raises(Conflict):
        Script(lost(), refusal(409, "Conflict"), answer(200, theirs)).run(server().replace(VERSIONED, WRITE))


def test_a_race_that_the_server_lost_is_run_again_but_an_owner_is_respected() -> None:
    script = Script(refusal(409, "Conflict"), answer(200, CONFIG_MAP))
    assert script.run(server().apply(CONFIG_MAP, WRITE)) == CONFIG_MAP
    script = Script(*[refusal(409, "Conflict")] * 4)
    with pytest.raises(Conflict):
        script.run(server().apply(CONFIG_MAP, WRITE))
    assert len(script.asked) == 4


def test_a_deletion_whose_answer_was_lost_is_ours() -> None:
    place = ("v1", "ConfigMap", "c", "dev")
    assert Script(lost(), refusal(404, "NotFound")).run(server().delete(*place)) == "gone"
    assert Script(lost(), refusal(409, "Conflict")).run(server().delete(*place, uid="u")) == "gone"
    with pytest.raises(Conflict):
        Script(refusal(409, "Conflict")).run(server().delete(*place, uid="u"))


@pytest.mark.parametrize("body", [b'{"kind": "Confi', b"<html>", b"", b"[1]"])
def test_an_answer_that_is_no_whole_object_is_none(body: bytes) -> None:
    script = Script(Answer(200, {}, body), answer(200, CONFIG_MAP))
    assert script.run(server().get("v1", "ConfigMap", "c", "dev")) == CONFIG_MAP
    script = Script(Answer(201, {}, body), answer(200, managed()))
    assert script.run(server().create(CONFIG_MAP, WRITE)) == managed()


def test_who_is_told_to_stop_waits_no_longer() -> None:
    operation = server().get("v1", "ConfigMap", "c", "dev")
    next(operation)
    operation.send(answer(503))
    with pytest.raises(KubeError, match="answered 503"):
        operation.throw(Stopped("told to end"))


def test_a_line_ends_at_a_newline_and_nowhere_else() -> None:
    lines = Lines()
    assert lines.of('{"a": "\x85\u2028'.encode()) == []
    assert lines.of(b'"}\n\n{"b') == ['{"a": "\x85\u2028"}'.encode()]
    assert lines.last() == [b'{"b']


def test_a_refusal_without_words_names_the_right_all_the_same() -> None:
    with pytest.raises(Forbidden) as caught:
        Script(answer(403)).run(server().apply(CONFIG_MAP, WRITE))
    assert caught.value.next.endswith("kubectl auth can-i patch configmap --namespace dev")
