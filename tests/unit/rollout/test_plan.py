"""The plan of a rollback: what is restored, created, stopped or removed, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from cli.rollout import plan
from cli.rollout.records import Record, Workload


def record(*objects: Any) -> Record:
    kinds = ("Deployment", "CronJob")
    workloads = tuple(
        Workload(row["metadata"]["labels"]["app.kubernetes.io/name"], row["kind"], "dev", row["metadata"]["name"])
        for row in objects
        if row["kind"] in kinds
    )
    return Record("release-a", "dev", objects, workloads)


def live(*objects: Any) -> dict[plan.Key, Any]:
    return {plan.key(row): row for row in objects}


def verbs(found: tuple[plan.Action, ...]) -> list[tuple[str, str, str]]:
    return [(action.verb, action.key[0], action.key[2]) for action in found]


def other(kind: str, name: str, make: Any, workload: str = "api", api_version: str = "v1") -> Any:
    metadata = {"name": name, "namespace": "dev", "labels": make.labels(workload)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}}


def test_only_what_differs_is_touched(make: Any) -> None:
    old = record(make.deployment("api", "1"), make.deployment("worker", "1"))
    found = plan.actions(old, live(make.deployment("api", "2"), make.deployment("worker", "1")))
    assert verbs(found) == [("apply", "Deployment", "api-a")]


def test_missing_object_is_created_again(make: Any) -> None:
    old = record(make.config_map("api-config-1"), make.deployment("api", "1"))
    assert verbs(plan.actions(old, live(make.deployment("api", "1")))) == [("create", "ConfigMap", "api-config-1")]


def test_workloads_that_the_bad_release_added_end(make: Any) -> None:
    cron = other("CronJob", "report-a", make, "report", "batch/v1") | {"spec": {"suspend": False}}
    found = plan.actions(
        record(make.deployment("api", "1")), live(make.deployment("api", "1"), make.deployment("new", "2"), cron)
    )
    assert verbs(found) == [("stop", "CronJob", "report-a"), ("stop", "Deployment", "new-a")]
    assert [action.manifest["spec"] for action in found] == [{"suspend": True}, {"replicas": 0}]


def test_what_an_earlier_rollback_stopped_runs_again_where_the_release_leaves_that_unsaid(make: Any) -> None:
    def field(spec: dict[str, Any], name: str, manager: str) -> Any:
        kind, version = ("CronJob", "batch/v1") if name == "suspend" else ("Deployment", "apps/v1")
        made = other(kind, "report-a", make, "report", version) | {"spec": spec}
        entry = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {f"f:{name}": {}}}}
        made["metadata"]["managedFields"] = [entry]
        return made

    for stopped, name in (({"suspend": True}, "suspend"), ({"replicas": 0}, "replicas")):
        now = field(stopped, name, "pulumi-kubernetes")
        bare = {**now, "spec": {}}
        [action] = plan.actions(record(bare), live(now))
        assert (action.verb, [str(row) for row in action.differences]) == (
            "apply",
            [f"spec.{name}: {'true' if name == 'suspend' else 0} → (none)"],
        )
        assert plan.actions(record(bare), live(field(stopped, name, "somebody"))) == (), "an apply could not undo it"


def test_stopped_ones_databases_and_monitoring_are_left_alone(make: Any) -> None:
    stopped = make.deployment("new", "2") | {"spec": {"replicas": 0}}
    database = make.deployment("postgres", "17")
    database["metadata"]["labels"]["turnout.dev/component"] = "postgres"
    assert plan.actions(record(), live(stopped, database)) == ()


def test_policies_added_to_a_restored_workload_go_and_others_stay(make: Any) -> None:
    own = other("HorizontalPodAutoscaler", "api-a", make, "api", "autoscaling/v2")
    foreign = other("NetworkPolicy", "new-a", make, "new", "networking.k8s.io/v1")
    found = plan.actions(record(make.deployment("api", "1")), live(make.deployment("api", "1"), own, foreign))
    assert verbs(found) == [("remove", "HorizontalPodAutoscaler", "api-a")]


def test_configuration_comes_first_and_all_workloads_at_once_and_last(make: Any) -> None:
    account = other("ServiceAccount", "api-a", make)
    old = record(make.deployment("api", "1"), make.deployment("worker", "1"), account, make.config_map("api-config-1"))
    assert [[action.key[0] for action in wave] for wave in plan.waves(plan.actions(old, {}))] == [
        ["ConfigMap"],
        ["ServiceAccount"],
        ["Deployment", "Deployment"],
    ]


@pytest.mark.parametrize(
    ("pod", "reference"),
    [
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, ("Secret", "dev", "s")),
        ({"volumes": [{"name": "v", "configMap": {"name": "c"}}]}, ("ConfigMap", "dev", "c")),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}]}, ("Secret", "dev", "s")),
        ({"containers": [{"envFrom": [{"configMapRef": {"name": "c"}}]}]}, ("ConfigMap", "dev", "c")),
        (
            {"initContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]},
            ("Secret", "dev", "s"),
        ),
        ({"imagePullSecrets": [{"name": "s"}]}, ("Secret", "dev", "s")),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s", "optional": True}}]}, None),
    ],
)
def test_what_pods_need_is_found(make: Any, pod: Any, reference: plan.Key | None) -> None:
    wanted = make.deployment("api", "1")
    wanted["spec"]["template"]["spec"] = pod
    assert plan.references([wanted]) == ({reference} if reference else set())


def test_what_the_record_brings_is_not_asked_for(make: Any) -> None:
    old = record(make.config_map("api-config-1"), make.deployment("api", "1", config="api-config-1"))
    assert plan.needed(old, old.objects) == set()
