"""A rollback of a service with two tracks, on a real cluster: traffic first, then the pin, then all the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.rollout import audit, cursor, moves, opened, pins, releases
from cli.rollout.cursor import Cursor, Place
from cli.rollout.opened import Rollout
from cli.rollout.step import Step, Target
from components.record import encode
from components.tracks import EPOCH, TEMPLATE, TRACK_LABEL, Letter, lettered, template_hash
from tests.harness import eventually
from tests.integration.stage import Object, Stage, staged

pytestmark = pytest.mark.cluster

COPIES = 2


@dataclass(frozen=True)
class Scene:
    """A stage on which service `web` has two tracks."""

    stage: Stage

    def track(self, version: str, letter: Letter, *, copies: int = COPIES, epoch: int = 0) -> None:
        """That version runs on that track."""
        stage = self.stage
        stage.put(stage.config(version))
        manifest = lettered(recorded(stage, version), letter)
        manifest["metadata"]["annotations"][EPOCH] = str(epoch)
        manifest["spec"]["replicas"] = copies
        stage.kube.apply(manifest, "turnout", force=True)
        stage.wait_ready(f"web-{letter}")

    def record(self, version: str) -> str:
        """The record of a release with that version; returns its name."""
        stage = self.stage
        objects = [stage.config(version), recorded(stage, version)]
        made = encode(stage.name, stage.control, objects, {"turnout.dev/environment": stage.name})
        for piece in made.manifests:
            stage.put(piece)
        return made.name

    def entry(self, letter: moves.Chosen) -> None:
        """The Service, sending new connections to that track or to both."""
        selector = {"app.kubernetes.io/name": "web"} | ({} if letter == "both" else {TRACK_LABEL: letter})
        spec = {"selector": selector, "ports": [{"port": 80}]}
        metadata = {"name": "web", "namespace": self.stage.name, "labels": self.stage.labels("web")}
        manifest = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        self.stage.kube.delete("v1", "Service", "web", self.stage.name)
        self.stage.kube.create(manifest, "turnout")

    def point(self, place: Place) -> None:
        cursor.change(self.stage.kube, self.stage.name, lambda _: Cursor({"web": place}, _.source))

    def release(self, version: str) -> None:
        """Number a release with that version."""
        with releases.attempt(self.stage.kube, self.stage.name, kind="rollout") as attempt:
            attempt.succeeded(self.record(version))
        time.sleep(1.1)  # creationTimestamp counts in seconds

    @property
    def place(self) -> Place:
        return cursor.read(self.stage.kube, self.stage.name).of("web")

    @property
    def selected(self) -> str:
        return moves.selected(self.stage.kube.get("v1", "Service", "web", self.stage.name))

    def copies(self, letter: Letter) -> int:
        return int(self.stage.live(f"web-{letter}")["spec"]["replicas"])

    def pods(self, letter: Letter) -> set[str]:
        found = self.stage.kube.list("v1", "Pod", self.stage.name, labels=f"{TRACK_LABEL}={letter}")
        return {pod["metadata"]["name"] for pod in found}

    def version(self, letter: Letter) -> str:
        [container] = self.stage.live(f"web-{letter}")["spec"]["template"]["spec"]["containers"]
        return str(container["env"][0]["value"])

    def rollback(self, folder: Path, *words: str, expect: int = 0) -> Any:
        done = self.stage.turnout(
            "rollback", self.stage.name, "--yes", "--json", "--reason", "it errs", *words, cwd=folder, expect=expect
        )
        return json.loads(done.stdout) if not expect else done.stderr


def recorded(stage: Stage, version: str) -> Object:
    """The Deployment as a record holds it: on the first track."""
    manifest = stage.deployment(version, replicas=COPIES)
    labels = {**manifest["metadata"]["labels"], TRACK_LABEL: "a"}
    manifest["metadata"]["labels"] = labels
    manifest["spec"]["selector"]["matchLabels"][TRACK_LABEL] = "a"
    manifest["spec"]["template"]["metadata"]["labels"] = labels
    manifest["metadata"]["annotations"] = {TEMPLATE: template_hash(manifest)}
    return manifest


@pytest.fixture
def scene(kubeconfig: Path) -> Iterator[Scene]:
    """Release 1 runs on track a, release 2 on track b and serves."""
    with staged(kubeconfig) as stage:
        made = Scene(stage)
        made.track("one", "a")
        made.track("two", "b", epoch=1)
        made.entry("b")
        made.point(Place("b", "b", 1, two=True))
        made.release("one")
        made.release("two")
        yield made


def test_a_warm_track_gets_the_traffic_and_the_bad_one_ends(scene: Scene, tmp_path: Path) -> None:
    before = scene.pods("a")
    answer = scene.rollback(tmp_path)
    assert (answer["release"], answer["restores"]) == (3, 1)
    assert answer["tracks"][0] == {
        "service": "web",
        "track": "a",
        "copies": COPIES,
        "ready": COPIES,
        "warm": True,
        "moves_traffic": True,
    }
    assert answer["traffic_seconds"] is not None
    assert scene.selected == "a"
    assert scene.place == Place("a", "a", 2, two=True)
    assert (scene.copies("a"), scene.copies("b")) == (COPIES, 0)
    assert scene.stage.live("web-a")["metadata"]["annotations"][EPOCH] == "2"
    assert scene.pods("a") == before
    [pin] = pins.read(scene.stage.kube, scene.stage.name).pins
    assert (pin.number, pin.why, pin.blame.workloads) == (2, "it errs", ("web",))
    assert pin.blame.template == template_hash(recorded(scene.stage, "two"))


def test_a_track_that_was_stopped_starts_before_it_gets_the_traffic(scene: Scene, tmp_path: Path) -> None:
    moves.scale(scene.stage.kube, scene.stage.name, "web", "a", 0)
    eventually(lambda: not scene.stage.live("web-a")["status"].get("replicas"))
    answer = scene.rollback(tmp_path)
    assert not answer["tracks"][0]["warm"]
    assert (scene.selected, scene.copies("a"), scene.copies("b")) == ("a", COPIES, 0)
    assert scene.stage.live("web-a")["status"]["readyReplicas"] == COPIES


def test_an_older_release_comes_back_on_the_track_that_does_not_serve(scene: Scene, tmp_path: Path) -> None:
    scene.track("three", "a", epoch=2)
    scene.entry("a")
    scene.point(Place("a", "a", 2, two=True))
    scene.release("three")
    scene.rollback(tmp_path, "--to", "1")
    assert scene.version("b") == "one"
    assert (scene.selected, scene.copies("a"), scene.copies("b")) == ("b", 0, COPIES)
    assert scene.place == Place("b", "b", 3, two=True)
    assert scene.stage.live("web-b")["metadata"]["annotations"][EPOCH] == "3"


def test_what_was_done_by_hand_on_the_idle_track_does_not_come_back(scene: Scene, tmp_path: Path) -> None:
    container = {"name": "web", "env": [{"name": "VERSION", "value": "by hand"}]}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    scene.stage.kube.patch("apps/v1", "Deployment", "web-a", scene.stage.name, body, "kubectl-edit", how="strategic")
    scene.rollback(tmp_path)
    assert (scene.version("a"), scene.selected) == ("one", "a")


def test_a_rollout_stuck_half_way_is_taken_back_to_what_served(scene: Scene, tmp_path: Path) -> None:
    stage = scene.stage
    scene.track("three", "a", copies=1, epoch=2)
    scene.entry("both")
    scene.point(Place("b", "a", 2, template="other", two=True))
    record = releases.load(stage.kube, stage.name).current
    assert record
    target = Target("web", "canary", old="b", two=True, template="t", copies=3, wanted=3, shares=(10,))
    course = (Step("route", ("web",), share=10), Step("record", ("web",)))
    begun = Rollout("r1", "anna", began="2026-01-01T00:00:00Z", record=record.record, to=(target,), course=course)
    opened.begin(stage.kube, stage.name, begun)
    answer = scene.rollback(tmp_path)
    assert (answer["release"], answer["half_done"], answer["rollout"]) == (2, True, "r1")
    assert (scene.selected, scene.copies("b"), scene.copies("a")) == ("b", 3, 0)
    assert scene.place == Place("b", "b", 3, two=True)
    ended = opened.read(stage.kube, stage.name)
    assert ended and (ended.open, ended.status) == (False, "aborted")
    [pin] = pins.read(stage.kube, stage.name).pins
    assert (pin.number, pin.blame.template) == (3, template_hash(recorded(stage, "three")))
    assert audit.entries(stage.kube, stage.name)[0].outcome == "done"


def test_a_track_that_does_not_come_up_gets_no_traffic(scene: Scene, tmp_path: Path) -> None:
    stage = scene.stage
    moves.scale(stage.kube, stage.name, "web", "a", 0)
    quota = {"hard": {"count/pods": "2"}}
    metadata = {"name": "none", "namespace": stage.name}
    stage.kube.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": quota}, "test")
    said = scene.rollback(tmp_path, "--timeout", "5", expect=7)
    assert "does not come up" in said
    assert "what serves now" in said
    assert (scene.selected, scene.copies("b")) == ("b", COPIES)


def test_a_release_that_was_pinned_out_does_not_come_back_by_a_rollback(scene: Scene, tmp_path: Path) -> None:
    scene.rollback(tmp_path)
    said = scene.rollback(tmp_path, "--to", "2", expect=4)
    assert f"turnout unpin {scene.stage.name} 2" in said
    assert scene.selected == "a"
    scene.stage.turnout("unpin", scene.stage.name, "2", cwd=tmp_path)
    scene.rollback(tmp_path, "--to", "2")
    assert (scene.selected, scene.version("b")) == ("b", "two")
