"""What a rollout keeps and moves in a cluster, and patches that a driver of yesterday cannot make."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.errors import Locked
from cli.kube import client
from cli.kube.client import Kube
from cli.kube.errors import Conflict
from cli.rollout import cursor, moves, opened
from cli.rollout.opened import Asked, Rollout
from cli.rollout.step import Step, Target
from cli.rollout.where import Cluster
from components.tracks import TRACK_LABEL

pytestmark = pytest.mark.cluster


class Place:
    """An app namespace with a service of two tracks, no pods behind them; its control namespace is not there yet."""

    def __init__(self, kube: Kube) -> None:
        self.kube, self.name = kube, f"mv{secrets.token_hex(3)}"

    def make(self) -> None:
        self.kube.create(manifest("v1", "Namespace", self.name), "test")
        selector = {"app": "api", TRACK_LABEL: "a"}
        service = {"spec": {"selector": selector, "ports": [{"port": 80}]}}
        self.kube.create(manifest("v1", "Service", "api", self.name, **service), "pulumi-kubernetes")
        for letter in ("a", "b"):
            self.kube.create(deployment(f"api-{letter}", self.name), "pulumi-kubernetes")

    def remove(self) -> None:
        for name in (self.name, f"turnout-{self.name}"):
            self.kube.delete("v1", "Namespace", name)


@pytest.fixture(scope="module")
def place(kubeconfig: Path) -> Iterator[Place]:
    with client.connect(Cluster(kubeconfig, None)) as kube:
        made = Place(kube)
        try:
            made.make()
            yield made
        finally:
            made.remove()


def manifest(api_version: str, kind: str, name: str, namespace: str = "", **rest: Any) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def deployment(name: str, namespace: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "x", "image": "none"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    return manifest("apps/v1", "Deployment", name, namespace, spec=spec)


def managers(live: dict[str, Any]) -> set[str]:
    return {row["manager"] for row in live["metadata"]["managedFields"]}


def test_cursor_is_empty_until_a_service_needs_two_tracks(place: Place) -> None:
    assert cursor.read(place.kube, place.name).of("api") == cursor.Place()
    made = cursor.change(place.kube, place.name, lambda now: now.describing("api", "b", "f00"))
    assert made.of("api") == cursor.Place("a", "b", 1, "f00", two=True)
    assert made == cursor.read(place.kube, place.name)
    data = place.kube.get("v1", "ConfigMap", "cursor", f"turnout-{place.name}")["data"]
    assert data == {"api.serving": "a", "api.described": "b", "api.epoch": "1", "api.template": "f00"}


def test_cursor_keeps_every_change_of_many_writers(place: Place) -> None:
    names = [f"svc{number}" for number in range(8)]

    def describe(name: str) -> None:
        cursor.change(place.kube, place.name, lambda now: now.describing(name, "b"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(describe, names))
    assert {cursor.read(place.kube, place.name).of(name).described for name in names} == {"b"}


def test_cursor_is_not_written_by_a_driver_that_lost_its_lock(place: Place) -> None:
    def lost() -> None:
        raise Locked("lost")

    before = cursor.read(place.kube, place.name)
    with pytest.raises(Locked):
        cursor.change(place.kube, place.name, lambda now: now.serving("late", "b"), check=lost)
    assert cursor.read(place.kube, place.name) == before


def test_rollout_survives_and_only_one_is_open(place: Place) -> None:
    target = Target("api", "canary", "a", two=True, template="f00", copies=3)
    step = Step("route", ("api",), share=10, copies={"api": {"a": 3, "b": 1}})
    wanted = Rollout("r1", starter="ada", reason="why not", to=(target,), course=(step, Step("record")))
    assert opened.begin(place.kube, place.name, wanted) == wanted == opened.under_way(place.kube, place.name)
    with pytest.raises(Locked, match="resume"):
        opened.begin(place.kube, place.name, Rollout("r2"))
    opened.change(place.kube, place.name, "r1", lambda now: replace(now, at=1).said("10 % on b"))
    asked = opened.change(place.kube, place.name, "r1", lambda now: replace(now, asked=Asked("pause", "bob")))
    assert (asked.at, asked.step, asked.events[-1].text) == (1, Step("record"), "10 % on b")
    opened.change(place.kube, place.name, "r1", lambda now: now.ended("done"))
    assert opened.under_way(place.kube, place.name) is None
    with pytest.raises(Locked, match="over"):
        opened.change(place.kube, place.name, "r1", lambda now: now.said("too late"))
    assert opened.begin(place.kube, place.name, Rollout("r2")).events == ()


def test_moves_are_made_under_one_manager_and_can_be_repeated(place: Place) -> None:
    for chosen in ("b", "both", "a"):
        moved = moves.select(place.kube, place.name, "api", chosen)
        assert moves.selected(moved) == chosen
        assert moved["spec"]["selector"]["app"] == "api"
        again = moves.select(place.kube, place.name, "api", chosen)
        assert again["metadata"]["resourceVersion"] == moved["metadata"]["resourceVersion"]
    scaled = moves.scale(place.kube, place.name, "api", "b", 2)
    assert scaled["spec"]["replicas"] == 2
    assert moves.MANAGER in managers(scaled)
    assert moves.bounds(place.kube, place.name, "api", "b", 2, 4) is None


def test_a_patch_that_an_old_driver_has_under_way_is_refused(place: Place) -> None:
    """It was decided on what it read; the new driver's claim on the object makes that stale, though nothing moved."""
    seen = moves.select(place.kube, place.name, "api", "a", fence="old")
    moves.select(place.kube, place.name, "api", "a", fence="new")
    late = {
        "metadata": {"resourceVersion": seen["metadata"]["resourceVersion"]},
        "spec": {"selector": {TRACK_LABEL: "b"}},
    }
    with pytest.raises(Conflict):
        place.kube.patch("v1", "Service", "api", place.name, late, moves.MANAGER)
    assert moves.selected(place.kube.get("v1", "Service", "api", place.name)) == "a"


def test_a_move_waits_for_nobody_and_asks_before_it_writes(place: Place) -> None:
    asked: list[int] = []

    def meddle_once() -> None:
        asked.append(1)
        if len(asked) == 1:
            place.kube.patch("v1", "Service", "api", place.name, {"metadata": {"labels": {"x": "y"}}}, "test")

    assert moves.selected(moves.select(place.kube, place.name, "api", "b", check=meddle_once)) == "b"
    assert len(asked) == 2, "the first patch met a newer object, was decided anew and asked again"
