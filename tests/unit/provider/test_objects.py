from typing import Any

from cli.provider.objects import foretold, importable, leave_to_others, must_force

ROLLOUT = {"manager": "turnout-rollout", "operation": "Update", "fieldsV1": {"f:spec": {"f:selector": {}}}}
HPA = {"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
OWN = {"manager": "turnout", "operation": "Apply", "fieldsV1": {"f:spec": {"f:ports": {}, "f:replicas": {}}}}


def live(*entries: Any, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "managedFields": list(entries)}, "spec": spec}


def asked(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x"}, "spec": spec}


def test_an_ignored_field_of_the_rollout_is_left_to_it() -> None:
    found = leave_to_others(
        asked(selector={"app": "a"}, ports=[1]), live(ROLLOUT, OWN, selector={"app": "b"}), ["spec.selector"], "turnout"
    )
    assert found["spec"] == {"ports": [1]}


def test_an_ignored_field_that_we_share_keeps_its_live_value() -> None:
    found = leave_to_others(asked(replicas=2), live(HPA, OWN, replicas=7), ["spec.replicas"], "turnout")
    assert found["spec"] == {"replicas": 7}


def test_a_field_of_others_that_is_not_ignored_is_asked_for() -> None:
    assert leave_to_others(asked(selector=1), live(ROLLOUT), [], "turnout") == asked(selector=1)


def test_patterns_are_ignored_one_by_one() -> None:
    theirs = {"manager": "x", "operation": "Update", "fieldsV1": {"f:spec": {"f:labels": {"f:a": {}}}}}
    found = leave_to_others(
        asked(labels={"a": 1, "b": 2}), live(theirs, labels={"a": 5, "b": 6}), ["spec.labels[*]"], "turnout"
    )
    assert found["spec"] == {"labels": {"b": 6}}


def test_force_only_where_the_conflict_would_be_no_real_one() -> None:
    created = {"manager": "pulumi-kubernetes", "operation": "Update"}
    assert not must_force(asked(), live(OWN, ROLLOUT), always=False, dry_run=True)
    assert must_force(asked(), live(created), always=False, dry_run=True)
    assert not must_force(asked(), live(created), always=False, dry_run=False)
    assert must_force(asked(), live(), always=False, dry_run=False)
    assert must_force(asked(), live(OWN), always=True, dry_run=False)
    wanted = {"metadata": {"name": "x", "annotations": {"pulumi.com/patchForce": "true"}}}
    assert must_force(wanted, live(OWN), always=False, dry_run=False)


def test_a_preview_does_not_promise_what_only_the_server_can_tell() -> None:
    tried = {"kind": "Pod", "metadata": {"name": "x", "uid": "u", "creationTimestamp": "t"}, "status": {"a": 1}}
    assert foretold(tried) == {"kind": "Pod", "metadata": {"name": "x"}}


def test_an_import_takes_what_can_be_asked_for() -> None:
    notes = {"mine": "1", "deployment.kubernetes.io/revision": "4"}
    found = {"kind": "Pod", "metadata": {"name": "x", "uid": "u", "annotations": notes}, "spec": {}, "status": {}}
    assert importable(found) == {"kind": "Pod", "metadata": {"name": "x", "annotations": {"mine": "1"}}, "spec": {}}
    only_noise = {"metadata": {"name": "x", "annotations": {"deployment.kubernetes.io/revision": "4"}}}
    assert importable(only_noise) == {"metadata": {"name": "x"}}


def test_ignoring_nothing_or_everything_at_once_changes_nothing_that_is_sent() -> None:
    for ignore in ([""], [], ["spec.replicas[*]"]):
        assert leave_to_others(asked(replicas=2), live(OWN, replicas=7), ignore, "turnout") == asked(replicas=2)
