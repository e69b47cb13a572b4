from typing import Any

import pytest

from cli.kube.health import Health, by_convention, health, serves_nobody
from cli.kube.related import Related
from tests.unit.kube.objects import deployment, event, pod, replica_set, workload


def ready(obj: dict[str, Any], about: Related | None = None) -> bool:
    return health(obj, about).ready


def test_a_deployment_is_ready_when_its_newest_generation_serves() -> None:
    assert health(deployment()) == Health(True, reason="2 of 2 replicas available")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (deployment(seen=False), "the controller has not seen the change yet"),
        (deployment(updatedReplicas=1), "1 of 2 replicas updated"),
        (deployment(availableReplicas=1), "1 of 2 replicas available"),
        (deployment(replicas=3), "1 old replica still to end"),
        (deployment(progressing="ReplicaSetUpdated"), "the new ReplicaSet is not available yet"),
    ],
)
def test_a_deployment_says_what_it_waits_for(broken: dict[str, Any], reason: str) -> None:
    assert health(broken) == Health(False, reason=reason)


def test_a_deployment_past_its_deadline_has_failed_and_says_why() -> None:
    crashed = pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 1}})
    twin = {**crashed, "metadata": {**crashed["metadata"], "name": "api-2"}}
    about = Related(pods=[crashed, twin], logs={("api-1", "app"): ["boom"]})
    verdict = health(deployment(progressing="ProgressDeadlineExceeded"), about)
    assert verdict.failed and verdict.reason == "gave up: it timed out"
    assert len(verdict.causes) == 1 and verdict.causes[0].log == ("boom",)
    assert verdict.lines()[-1].endswith("    boom")


def test_pods_refused_by_a_quota_are_told_from_the_replica_set() -> None:
    message = "exceeded quota: team"
    by_condition = replica_set(conditions=[{"type": "ReplicaFailure", "status": "True", "message": message}])
    by_event = Related(
        replica_sets=[replica_set()], events=[event("api-rs", "FailedCreate", message, kind="ReplicaSet")]
    )
    for about in (Related(replica_sets=[by_condition]), by_event):
        verdict = health(deployment(updatedReplicas=0, availableReplicas=0), about)
        assert [(cause.what, cause.message) for cause in verdict.causes] == [("quota", message)]


def test_an_image_that_can_never_come_is_not_waited_for() -> None:
    stuck = pod(state={"waiting": {"reason": "ErrImageNeverPull"}})
    assert health(deployment(availableReplicas=0), Related(pods=[stuck])).failed


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"replicas": 2}, {"readyReplicas": 2, "updatedReplicas": 2}, True),
        ({"replicas": 2}, {"readyReplicas": 1, "updatedReplicas": 2}, False),
        (
            {"replicas": 2},
            {"readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
            False,
        ),
        (
            {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {"readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
            True,
        ),
        (
            {"replicas": 1, "updateStrategy": {"type": "OnDelete"}},
            {"readyReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
            True,
        ),
        (
            {"replicas": 2},
            {"readyReplicas": 2, "updatedReplicas": 2, "currentRevision": "a", "updateRevision": "b"},
            False,
        ),
        ({"replicas": 1}, {"readyReplicas": 1, "replicas": 2}, False),
        ({"replicas": 1, "minReadySeconds": 5}, {"readyReplicas": 1, "availableReplicas": 0}, False),
        ({"replicas": 0}, {}, True),
    ],
)
def test_stateful_sets(spec: dict[str, Any], status: dict[str, Any], expected: bool) -> None:
    assert ready(workload("StatefulSet", spec, status)) is expected


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}, True),
        ({}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2}, False),
        ({}, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}, False),
        ({"updateStrategy": {"type": "OnDelete"}}, {"desiredNumberScheduled": 1, "numberAvailable": 1}, True),
        ({}, {"desiredNumberScheduled": 0}, True),
    ],
)
def test_daemon_sets(spec: dict[str, Any], status: dict[str, Any], expected: bool) -> None:
    assert ready(workload("DaemonSet", spec, status)) is expected


def test_jobs() -> None:
    def job(kind: str = "", **spec: Any) -> dict[str, Any]:
        conditions = [{"type": kind, "status": "True", "message": "too many tries"}] if kind else []
        return workload("Job", spec, {"conditions": conditions}, "batch/v1")

    assert ready(job("Complete")) and ready(job(suspend=True)) and not ready(job())
    assert health(job("Failed")) == Health(False, failed=True, reason="failed: too many tries")


def test_a_claim_may_wait_for_its_first_pod() -> None:
    claim = workload("PersistentVolumeClaim", {}, {"phase": "Pending"}, "v1")
    assert not ready(claim)
    assert ready(claim, Related(storage_class={"volumeBindingMode": "WaitForFirstConsumer"}))
    assert ready(workload("PersistentVolumeClaim", {}, {"phase": "Bound"}, "v1"))
    assert health(workload("PersistentVolumeClaim", {}, {"phase": "Lost"}, "v1")).failed


@pytest.mark.parametrize(
    ("spec", "status", "endpoints", "expected"),
    [
        ({"selector": {"a": "b"}}, {}, [], False),
        ({"selector": {"a": "b"}}, {}, [{"conditions": {"ready": False}}], False),
        ({"selector": {"a": "b"}}, {}, [{"conditions": {"ready": True}}], True),
        ({}, {}, [], True),
        ({"selector": {"a": "b"}, "clusterIP": "None"}, {}, [], True),
        ({"type": "ExternalName"}, {}, [], True),
        ({"type": "LoadBalancer"}, {}, [], False),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}, [], True),
    ],
)
def test_services(spec: dict[str, Any], status: dict[str, Any], endpoints: list[Any], expected: bool) -> None:
    assert ready(workload("Service", spec, status, "v1"), Related(slices=[{"endpoints": endpoints}])) is expected


def test_a_kind_without_a_rule_is_ready_at_once() -> None:
    assert ready(workload("ConfigMap", {}, {}, "v1"))


def test_a_new_kind_is_ready_when_it_is_served() -> None:
    def definition(status: str) -> dict[str, Any]:
        conditions = [{"type": "Established", "status": status}]
        return workload("CustomResourceDefinition", {}, {"conditions": conditions}, "apiextensions.k8s.io/v1")

    assert ready(definition("True")) and not ready(definition("False"))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, ""),
        ({"conditions": [{"type": "Ready", "status": "True"}]}, ""),
        ({"conditions": [{"type": "Ready", "status": "False", "message": "no disk"}]}, "Ready: no disk"),
        ({"conditions": [{"type": "Reconciling", "status": "True"}]}, "Reconciling: not False yet"),
        ({"observedGeneration": 1}, "the controller has not seen the change yet"),
    ],
)
def test_by_convention_a_kind_tells_its_readiness_itself(status: dict[str, Any], reason: str) -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"generation": 2}, "status": status}
    assert by_convention(widget) == Health(not reason, reason=reason)
    stalled = {**widget, "status": {"conditions": [{"type": "Stalled", "status": "True", "reason": "Broken"}]}}
    assert by_convention(stalled).failed and by_convention(stalled).reason == "stalled: Broken"


def test_a_service_that_selects_no_pod_at_all_is_told_from_one_whose_pods_are_not_ready() -> None:
    service: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"a": "b"}}}
    unready = Related(slices=[{"endpoints": [{"conditions": {"ready": False}}]}])
    assert serves_nobody(service, Related(slices=[{"endpoints": None}])) and serves_nobody(service, Related())
    assert not serves_nobody(service, unready)
    balanced = {**service, "spec": {**service["spec"], "type": "LoadBalancer"}}
    assert not serves_nobody(balanced, Related())
