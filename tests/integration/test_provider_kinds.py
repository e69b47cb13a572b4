"""When each kind counts as ready, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli.provider.values import plain
from tests.integration.provider import Engine, Failed
from tests.integration.provider_fixtures import Live

CORE, APPS = "kubernetes:core/v1", "kubernetes:apps/v1"
IMAGE = "turnout.local/busybox:1"
pytestmark = pytest.mark.cluster


def obj(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def template(app: str, *, command: str = "sleep 3600", image: str = IMAGE, restart: str = "Always") -> dict[str, Any]:
    container = {"name": "c", "image": image, "command": ["sh", "-c", command]}
    spec = {"terminationGracePeriodSeconds": 1, "restartPolicy": restart, "containers": [container]}
    return {"metadata": {"labels": {"app": app}}, "spec": spec}


def workload(name: str, **more: Any) -> dict[str, Any]:
    return obj(name, spec={"selector": {"matchLabels": {"app": name}}, "template": template(name)} | more)


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("elsewhere", {"type": "ExternalName", "externalName": "example.com"}),
        ("headless", {"clusterIP": "None", "selector": {"app": "nobody"}, "ports": [{"port": 80}]}),
        ("unselective", {"ports": [{"port": 80}]}),
    ],
)
def test_a_service_that_waits_for_no_pods_is_ready_at_once(engine: Engine, name: str, spec: dict[str, Any]) -> None:
    assert engine.create(f"{CORE}:Service", name, obj(name, spec=spec), seconds=2).id


@pytest.mark.parametrize(
    ("token", "wanted", "reason"),
    [
        (
            f"{CORE}:Service",
            obj("balanced", spec={"type": "LoadBalancer", "selector": {"app": "x"}, "ports": [{"port": 80}]}),
            "no address was assigned to the load balancer yet",
        ),
        (
            "kubernetes:networking.k8s.io/v1:Ingress",
            obj("way", spec={"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}}),
            "no ingress controller has given it an address yet",
        ),
        (
            f"{CORE}:PersistentVolumeClaim",
            obj(
                "unbound",
                spec={
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "nobody-provisions",
                    "resources": {"requests": {"storage": "1Mi"}},
                },
            ),
            "pending: no volume is bound yet",
        ),
    ],
)
def test_what_never_comes_is_waited_for_and_told(engine: Engine, token: str, wanted: Any, reason: str) -> None:
    with pytest.raises(Failed, match=f"timed out: {reason}") as caught:
        engine.create(token, wanted["metadata"]["name"], wanted, seconds=2)
    assert caught.value.outputs["metadata"]["uid"]


@pytest.fixture
def lazy_class(engine: Engine, live: Live) -> Iterator[str]:
    name = f"lazy-{live.namespace}"
    more = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
    made = engine.create("kubernetes:storage.k8s.io/v1:StorageClass", name, obj(name, **more))
    yield name
    engine.delete(made)


def test_a_claim_that_waits_for_its_first_pod_is_not_waited_for(engine: Engine, lazy_class: str) -> None:
    request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    made = engine.create(
        f"{CORE}:PersistentVolumeClaim",
        "lazy",
        obj("lazy", spec={**request, "storageClassName": lazy_class}),
        seconds=5,
    )
    assert made.outputs["status"]["phase"] == "Pending"


def test_what_the_controllers_fill_in_is_waited_for(engine: Engine, live: Live) -> None:
    quota = engine.create(f"{CORE}:ResourceQuota", "quota", obj("quota", spec={"hard": {"count/secrets": "90"}}))
    assert quota.outputs["status"]["hard"] == {"count/secrets": "90"}
    token = obj("token", type="kubernetes.io/service-account-token")
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "default"}
    assert plain(engine.create(f"{CORE}:Secret", "token", token).outputs["data"])["token"]
    name = f"disk-{live.namespace}"
    spec = {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/nothing"}}
    volume = engine.create(f"{CORE}:PersistentVolume", name, obj(name, spec={**spec, "storageClassName": name}))
    assert volume.outputs["status"]["phase"] == "Available"
    for made in (quota, volume):
        engine.delete(made)


def test_a_replica_set_is_not_waited_for(engine: Engine) -> None:
    lost = workload("rs", template=template("rs", image="turnout.local/none:0"))
    engine.delete(engine.create(f"{APPS}:ReplicaSet", "rs", lost, seconds=2))


@pytest.mark.pods
def test_stateful_and_daemon_sets_are_waited_for(engine: Engine, live: Live) -> None:
    made = engine.create(f"{APPS}:StatefulSet", "db", workload("db", serviceName="db", replicas=1))
    assert made.outputs["status"]["readyReplicas"] == 1
    changed = engine.update(
        made, workload("db", serviceName="db", replicas=1, template=template("db", command="sleep 9999"))
    )
    status = changed.outputs["status"]
    assert status["currentRevision"] == status["updateRevision"] and status["readyReplicas"] == 1
    engine.delete(changed)
    everywhere = engine.create(f"{APPS}:DaemonSet", "agent", workload("agent"))
    assert everywhere.outputs["status"]["numberAvailable"] == everywhere.outputs["status"]["desiredNumberScheduled"] > 0
    engine.delete(everywhere)
    assert not live.kube.list("v1", "Pod", live.namespace, labels="app in (db,agent)")


@pytest.mark.pods
def test_a_job_is_waited_for_until_it_is_complete_or_failed(engine: Engine) -> None:
    good = obj("good", spec={"template": template("good", command="exit 0", restart="Never")})
    made = engine.create("kubernetes:batch/v1:Job", "good", good)
    assert made.outputs["status"]["succeeded"] == 1
    bad = template("bad", command="echo 'FATAL: no schema'; exit 4", restart="Never")
    with pytest.raises(Failed) as caught:
        engine.create("kubernetes:batch/v1:Job", "bad", obj("bad", spec={"template": bad, "backoffLimit": 0}))
    told = "\n".join(caught.value.reasons)
    assert "exit code 4" in told and "FATAL: no schema" in told


@pytest.mark.pods
def test_pods_and_replication_controllers_are_waited_for(engine: Engine) -> None:
    pod = engine.create(f"{CORE}:Pod", "one", obj("one", spec=template("one")["spec"]))
    assert any(row["type"] == "Ready" and row["status"] == "True" for row in pod.outputs["status"]["conditions"])
    spec = {"replicas": 1, "selector": {"app": "rc"}, "template": template("rc")}
    made = engine.create(f"{CORE}:ReplicationController", "rc", obj("rc", spec=spec))
    assert made.outputs["status"]["availableReplicas"] == 1
    for row in (pod, made):
        engine.delete(row)
