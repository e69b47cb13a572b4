"""The admission policies on a real API server: what they refuse to kubectl, and what must pass whatever is pinned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.rollout import pins
from cli.rollout.pins import Blame, Pin
from components.environment import Namespaces, Placement
from components.guard import cursor
from components.guard import pins as guard
from components.guard.policy import anchor
from tests.harness import eventually
from tests.integration.accounts import refused
from tests.integration.stage import IMAGE, Stage, staged

pytestmark = pytest.mark.cluster

BAD = "turnout.local/bad:1"
WEB = ("apps/v1", "Deployment", "web-a")


@pytest.fixture(scope="module")
def guarded(kubeconfig: Path) -> Iterator[Stage]:
    """A stage with both policies in force, and one workload that runs. The anchor stays, as it must."""
    with staged(kubeconfig) as stage:
        place = Placement(
            environment=stage.name,
            tier="dev",
            namespaces=Namespaces.of(stage.name),
            stack="control",
            component="guard",
        )
        manifests = [*guard.manifests(place), *cursor.manifests(place)]
        try:
            for manifest in (*anchor(), *manifests):
                stage.kube.apply(manifest, "turnout")
            stage.put(stage.config("one"))
            stage.put(stage.deployment("one"))
            stage.wait_ready("web-a")
            pin(stage, Blame(images=(BAD,)))
            eventually(lambda: refused(lambda: set_image(stage, BAD)))
            yield stage
        finally:
            for manifest in manifests:
                stage.kube.delete(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])


@pytest.fixture
def stage(guarded: Stage) -> Iterator[Stage]:
    yield guarded
    for name in (pins.NAME, cursor.NAME):
        guarded.kube.delete("v1", "ConfigMap", name, guarded.control)
    good = guarded.deployment("one")
    eventually(lambda: not refused(lambda: guarded.kube.apply(good, "turnout", force=True)), "the pins are forgotten")
    guarded.wait_ready("web-a")


def pin(stage: Stage, *blames: Blame) -> None:
    found = [Pin(41, blame, "alice", "2026-01-02T03:04:05.000000Z", "it errs") for blame in blames]
    pins.add(stage.kube, stage.name, found)


def put_cursor(stage: Stage, **data: str) -> None:
    metadata = {"name": cursor.NAME, "namespace": stage.control}
    values = {key.replace("_", "."): value for key, value in data.items()}
    stage.kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": values}, "test")


def soon_refused(work: Any) -> str:
    """What the API server says against it once its cache of parameters knows."""
    return str(eventually(lambda: refused(work), every=0.1))


def set_image(stage: Stage, image: str, *, dry_run: bool = True) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}
    stage.kube.patch(*WEB, stage.name, body, "kubectl-set", how="strategic", dry_run=dry_run)


def annotate(stage: Stage, **notes: str) -> None:
    body = {"metadata": {"annotations": {f"turnout.dev/{key}": value for key, value in notes.items()}}}
    stage.kube.patch(*WEB, stage.name, body, "test")


def scale(stage: Stage, count: int, *, subresource: str | None = None, dry_run: bool = False) -> None:
    body = {"spec": {"replicas": count}}
    stage.kube.patch(*WEB, stage.name, body, "test", subresource=subresource, dry_run=dry_run)


def test_a_pinned_image_is_refused_with_who_when_why_and_the_way_out(stage: Stage) -> None:
    pin(stage, Blame(images=(BAD,)))
    said = soon_refused(lambda: set_image(stage, BAD))
    for words in (BAD, "alice", "2026-01-02T03:04:05", "it errs", f"turnout unpin {stage.name} 41"):
        assert words in said
    assert not refused(lambda: set_image(stage, "turnout.local/good:2"))


def test_other_workloads_meet_a_pin_only_where_it_names_them(stage: Stage) -> None:
    pin(stage, Blame(("other",), (BAD,)))
    made = stage.deployment("one", workload="other")
    made["spec"]["template"]["spec"]["containers"][0]["image"] = BAD
    assert soon_refused(lambda: stage.kube.create(made, "kubectl", dry_run=True))
    eventually(lambda: not refused(lambda: set_image(stage, BAD)), "the pins before are forgotten", every=0.1)


def test_a_pinned_template_is_refused_whichever_way_it_comes(stage: Stage) -> None:
    pin(stage, Blame(("web",), template="abc"))
    manifest = stage.deployment("one")
    manifest["metadata"]["annotations"] = {"turnout.dev/template": "abc"}
    assert "this template" in soon_refused(lambda: stage.kube.apply(manifest, "turnout", dry_run=True))
    manifest["metadata"]["name"] = "web-b"
    assert refused(lambda: stage.kube.create(manifest, "turnout", dry_run=True))


def test_schedules_and_jobs_are_refused_but_not_what_a_schedule_starts(stage: Stage) -> None:
    pin(stage, Blame(images=(BAD,)))
    pod: dict[str, Any] = {"spec": {"restartPolicy": "Never", "containers": [{"name": "one", "image": BAD}]}}
    job: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(stage, "job"),
        "spec": {"template": pod},
    }
    schedule = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta(stage, "schedule"),
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": pod}}},
    }
    assert soon_refused(lambda: stage.kube.create(schedule, "kubectl", dry_run=True))
    assert refused(lambda: stage.kube.create(job, "kubectl", dry_run=True))
    job["metadata"]["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": "schedule", "uid": "0", "controller": True}
    ]
    assert not refused(lambda: stage.kube.create(job, "controller", dry_run=True))


def test_what_runs_already_may_change_shrink_and_end(stage: Stage) -> None:
    pin(stage, Blame(images=(IMAGE,)), Blame(("web",), template="abc"))
    probe = stage.deployment("one", workload="probe")
    assert soon_refused(lambda: stage.kube.create(probe, "kubectl", dry_run=True))
    scale(stage, 3)
    scale(stage, 1, subresource="scale")
    stage.kube.patch(*WEB, stage.name, {"metadata": {"labels": {"touched": "yes"}}}, "test")
    stage.wait_ready("web-a")
    eventually(lambda: len(pods(stage)) == 1, every=0.5)
    [old] = [pod["metadata"]["name"] for pod in pods(stage)]
    evict(stage, old)
    eventually(lambda: old not in [pod["metadata"]["name"] for pod in pods(stage)], every=0.5)
    stage.wait_ready("web-a")
    scale(stage, 0)


def test_nothing_pinned_starts_again_from_zero(stage: Stage) -> None:
    scale(stage, 0)
    eventually(lambda: not pods(stage), every=0.5)
    pin(stage, Blame(images=(IMAGE,)))
    assert soon_refused(lambda: scale(stage, 2, dry_run=True)), "a try that is let in would leave nothing to refuse"
    scale(stage, 2, subresource="scale")
    time.sleep(2)
    assert not pods(stage)
    pins.lift(stage.kube, stage.name, 41)
    stage.wait_ready("web-a")


def test_an_older_epoch_is_refused_and_names_repair(stage: Stage) -> None:
    put_cursor(stage, web_serving="a", web_described="a", web_epoch="2")
    annotate(stage, epoch="1")
    said = soon_refused(lambda: set_image(stage, "turnout.local/good:2"))
    assert "epoch 1" in said
    assert "is at 2" in said
    assert f"turnout repair {stage.name}" in said
    scale(stage, 1)
    annotate(stage, epoch="2")
    assert not refused(lambda: set_image(stage, "turnout.local/good:2"))


def test_during_a_rollout_only_its_own_template_comes_to_the_described_track(stage: Stage) -> None:
    stage.kube.patch(*WEB, stage.name, {"metadata": {"labels": {"turnout.dev/track": "a"}}}, "test")
    put_cursor(stage, web_serving="b", web_described="a", web_epoch="0", web_template="new")
    said = soon_refused(lambda: set_image(stage, "turnout.local/good:2"))
    assert f"turnout rollout status {stage.name}" in said
    manifest = stage.deployment("two")
    manifest["metadata"]["labels"]["turnout.dev/track"] = "a"
    manifest["metadata"]["annotations"] = {"turnout.dev/template": "older"}
    assert refused(lambda: stage.kube.apply(manifest, "turnout", dry_run=True, force=True))
    manifest["metadata"]["annotations"] = {"turnout.dev/template": "new"}
    assert not refused(lambda: stage.kube.apply(manifest, "turnout", dry_run=True, force=True))
    manifest["metadata"]["labels"]["turnout.dev/track"] = "b"
    manifest["metadata"]["annotations"] = {"turnout.dev/template": "any"}
    assert not refused(lambda: stage.kube.apply(manifest, "turnout", dry_run=True, force=True))


def meta(stage: Stage, name: str) -> dict[str, Any]:
    return {"name": name, "namespace": stage.name, "labels": stage.labels("web")}


def pods(stage: Stage) -> list[dict[str, Any]]:
    found = stage.kube.list("v1", "Pod", stage.name, labels="app.kubernetes.io/name=web")
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


def evict(stage: Stage, name: str) -> None:
    """What a node drain does to each pod."""
    from cli.kube.requests import Request

    metadata = f'{{"name":"{name}","namespace":"{stage.name}"}}'
    body = f'{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{metadata}}}'.encode()
    stage.kube.request(
        Request("POST", f"/api/v1/namespaces/{stage.name}/pods/{name}/eviction", "evict a pod", body=body)
    )
