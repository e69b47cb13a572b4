"""Waiting: until it serves, and what is said when it does not."""

from __future__ import annotations

import threading
import time

import pytest

from tests.integration.provider import Engine, Failed, Provider
from tests.integration.provider_fixtures import Live, deployment, service

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
pytestmark = pytest.mark.cluster


def test_a_deployment_is_waited_for_until_it_serves(engine: Engine, live: Live) -> None:
    made = engine.create(DEPLOYMENT, "ready", deployment("ready", replicas=2))
    assert made.outputs["status"]["availableReplicas"] == 2
    changed = engine.update(made, deployment("ready", replicas=2, env={"A": "1"}))
    status = live.get("Deployment", "ready", "apps/v1")["status"]
    assert status["updatedReplicas"] == status["availableReplicas"] == 2
    engine.delete(changed)
    assert not live.kube.list("v1", "Pod", live.namespace, labels="app=ready")


def test_a_wait_can_be_left_out_or_be_another_one(engine: Engine) -> None:
    hopeless = {"pulumi.com/skipAwait": "true"}
    engine.create(DEPLOYMENT, "skipped", deployment("skipped", image="turnout.local/none:0", annotations=hopeless))
    other = {"pulumi.com/waitFor": "jsonpath={.status.observedGeneration}=1"}
    engine.create(DEPLOYMENT, "other", deployment("other", image="turnout.local/none:0", annotations=other))
    never = {"pulumi.com/waitFor": "condition=Never", "pulumi.com/timeoutSeconds": "2"}
    with pytest.raises(Failed, match="timed out: waits for condition=Never") as caught:
        engine.create(DEPLOYMENT, "never", deployment("never", annotations=never), seconds=0)
    assert caught.value.id.endswith("/never") and caught.value.outputs["__inputs"]["metadata"]["name"] == "never"


def test_a_cancelled_wait_records_what_is_there(engine: Engine, live: Live) -> None:
    never = {"pulumi.com/waitFor": "condition=Never"}
    timer = threading.Timer(2, engine.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Failed, match="cancelled while") as caught:
        engine.create(DEPLOYMENT, "cancelled", deployment("cancelled", annotations=never))
    assert time.monotonic() - began < 30
    assert caught.value.outputs["metadata"]["uid"] and live.is_there("Deployment", "cancelled", "apps/v1")


def test_a_former_manager_is_relieved_although_the_update_is_not_ready(engine: Engine, live: Live) -> None:
    skip = {"pulumi.com/skipAwait": "true"}
    made = engine.create(DEPLOYMENT, "handed", deployment("handed", image="turnout.local/none:0", annotations=skip))
    made = engine.update(made, deployment("handed", image="turnout.local/none:1", annotations=skip))
    never = {"pulumi.com/waitFor": "condition=Never", "pulumi.com/patchFieldManager": "another"}
    never["pulumi.com/patchForce"] = "true"
    with pytest.raises(Failed, match="timed out"):
        engine.update(made, deployment("handed", image="turnout.local/none:1", annotations=never), seconds=1)
    managers = {row["manager"] for row in live.get("Deployment", "handed", "apps/v1")["metadata"]["managedFields"]}
    assert "another" in managers and "turnout" not in managers


@pytest.mark.pods
def test_a_crash_is_told_with_the_last_lines(engine: Engine, running: Provider) -> None:
    command = ["sh", "-c", "exec >&2; echo starting; echo 'FATAL: no database'; exit 3"]
    broken = deployment("crash", command=command, deadline=20, min_ready=9)
    with pytest.raises(Failed) as caught:
        engine.create(DEPLOYMENT, "crash", broken)
    told = "\n".join(caught.value.reasons)
    assert "exit code 3" in told and "FATAL: no database" in told and "timed out progressing" in told
    assert any("FATAL: no database" in text for text in running.statuses.seen)


@pytest.mark.pods
def test_a_missing_image_is_told(engine: Engine) -> None:
    with pytest.raises(Failed, match=r"its image turnout.local/none:0 cannot be had"):
        engine.create(DEPLOYMENT, "image", deployment("image", image="turnout.local/none:0", deadline=20))


@pytest.mark.pods
def test_a_failing_probe_is_told(engine: Engine) -> None:
    with pytest.raises(Failed, match="Readiness probe failed: not yet"):
        engine.create(DEPLOYMENT, "probe", deployment("probe", probe=["sh", "-c", "echo not yet; exit 1"], deadline=20))


def test_a_pod_that_fits_nowhere_is_told_in_the_schedulers_words(engine: Engine) -> None:
    big = deployment("big", deadline=10)
    big["spec"]["template"]["spec"]["nodeSelector"] = {"turnout.dev/nowhere": "yes"}
    with pytest.raises(Failed, match="cannot be scheduled: 0/"):
        engine.create(DEPLOYMENT, "big", big)


def test_pods_refused_by_a_quota_are_told(engine: Engine) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"requests.cpu": "1m"}}}
    made = engine.create("kubernetes:core/v1:ResourceQuota", "none", quota)
    try:
        with pytest.raises(Failed, match=r"must specify requests.cpu|exceeded quota"):
            engine.create(DEPLOYMENT, "over", deployment("over", deadline=10))
    finally:
        engine.delete(made)


def test_a_service_without_any_pod_is_ready_once_that_has_settled(engine: Engine) -> None:
    nobody = service("nobody", app="nobody-at-all")
    del nobody["metadata"]["annotations"]["pulumi.com/skipAwait"]
    made = engine.create("kubernetes:core/v1:Service", "nobody", nobody)
    assert engine.read(made) is not None


def test_a_pause_before_the_next_try_ends_with_a_cancel(engine: Engine, running: Provider) -> None:
    timer = threading.Timer(1, engine.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Failed, match="cancelled while its namespace or its kind is not there yet"):
        engine.create("kubernetes:core/v1:ConfigMap", "x", {"metadata": {"name": "x", "namespace": "not-there-yet"}})
    assert time.monotonic() - began < 30
    assert "its namespace or its kind is not there yet" in running.statuses.seen


def test_a_refresh_of_something_unhealthy_says_so_and_keeps_it(engine: Engine) -> None:
    skip = {"pulumi.com/waitFor": "jsonpath={.status.observedGeneration}"}
    lost = deployment("unwell", annotations=skip)
    lost["spec"]["template"]["spec"]["nodeSelector"] = {"turnout.dev/nowhere": "yes"}
    made = engine.create(DEPLOYMENT, "unwell", lost)
    with pytest.raises(Failed, match="is not ready: 0 of 1 replicas available") as caught:
        engine.read(made)
    assert caught.value.id == made.id and caught.value.outputs["metadata"]["uid"] == made.outputs["metadata"]["uid"]
