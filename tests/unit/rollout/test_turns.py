"""Which track a service gets back to, and what that takes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cli.rollout import turns
from cli.rollout.cursor import Cursor, Place
from cli.rollout.opened import Rollout
from cli.rollout.plan import Key, key
from cli.rollout.records import Record, Workload
from cli.rollout.step import Target
from cli.rollout.turns import Turn
from components.names import EPOCH
from components.tracks import Letter, lettered

SERVING_B = Cursor({"api": Place("b", "b", 4, two=True)})


def deployment(make: Any, version: str) -> Any:
    made = copy.deepcopy(make.deployment("api", version))
    for labels in (made["metadata"]["labels"], made["spec"]["template"]["metadata"]["labels"]):
        labels["turnout.dev/track"] = "a"
    return made


def record(make: Any, version: str) -> Record:
    workload = Workload("api", "Deployment", "dev", "api-a", calls=("tools",))
    return Record(f"release-{version}", "dev", (deployment(make, version),), (workload,))


def live(make: Any, selected: str, replicas: int = 3, **tracks: str) -> dict[Key, Any]:
    """Tracks by letter with their versions, all of whose copies are ready, and the entry."""
    found = []
    for letter, version in tracks.items():
        made = copy.deepcopy(lettered(deployment(make, version), letter))  # type: ignore[arg-type]
        made["spec"]["replicas"] = replicas
        made["status"] = {"readyReplicas": replicas}
        found.append(made)
    selector = {"app.kubernetes.io/name": "api"} | ({"turnout.dev/track": selected} if selected else {})
    entry = {"kind": "Service", "metadata": {"name": "api", "namespace": "dev"}, "spec": {"selector": selector}}
    return {key(row): row for row in (*found, entry)}


def turn(make: Any, version: str, found: dict[Key, Any], rollout: Rollout | None = None) -> Turn:
    return turns.of(record(make, version), SERVING_B, rollout, found)["api"]


def test_a_warm_track_with_the_release_gets_the_traffic(make: Any) -> None:
    found = turn(make, "1", live(make, "b", a="1", b="2"))
    assert (found.to, found.same, found.warm, found.flips, found.epoch) == ("a", True, True, True, 5)


def test_another_release_goes_onto_the_track_that_does_not_serve(make: Any) -> None:
    found = turn(make, "0", live(make, "b", a="1", b="2"))
    assert (found.to, found.same, found.warm, found.copies) == ("a", False, False, 3)


def test_a_service_that_did_not_change_is_left_alone(make: Any) -> None:
    found = turn(make, "2", live(make, "b", a="1", b="2"))
    assert (found.to, found.moves, found.epoch) == ("b", False, 4)


def test_without_another_track_it_comes_back_in_place(make: Any) -> None:
    found = turn(make, "1", live(make, "b", b="2"))
    assert (found.to, found.flips, found.other) == ("b", False, False)


def test_a_rollout_is_taken_back_to_the_track_that_served_before(make: Any) -> None:
    begun = Rollout("r", to=(Target("api", "canary", old="b", copies=6),))
    found = turn(make, "2", live(make, "", a="3", b="2"), begun)
    assert (found.to, found.flips, found.copies, found.warm) == ("b", True, 6, True)


@pytest.mark.parametrize(("ready", "warm"), [(0, False), (1, False), (2, True), (3, True)])
def test_half_of_the_copies_are_enough_to_leave_a_bad_release(ready: int, warm: bool) -> None:
    assert Turn("api", "a", 1, copies=3, ready=ready).warm is warm


def test_recorded_objects_are_put_onto_the_track_with_its_epoch_and_its_copies(make: Any) -> None:
    found = live(make, "b", replicas=7, a="1", b="2")
    chosen = {"api": turn(make, "1", found)}
    [made] = turns.placed(record(make, "1").objects, chosen, found)
    assert (made["metadata"]["name"], made["metadata"]["annotations"][EPOCH]) == ("api-a", "5")
    assert "replicas" not in made["spec"]


def test_what_was_applied_once_is_said_again_or_it_would_be_taken_away(make: Any) -> None:
    owned = {"manager": "turnout", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    now = copy.deepcopy(deployment(make, "1"))
    now["spec"]["replicas"] = 7
    now["metadata"]["managedFields"] = [owned]
    assert turns.with_counts_of(now, deployment(make, "1"))["spec"]["replicas"] == 7
    created = {**owned, "manager": "pulumi-kubernetes", "operation": "Update"}
    now["metadata"]["managedFields"] = [created]
    assert turns.with_counts_of(now, deployment(make, "1"))["spec"]["replicas"] == 7
    now["metadata"]["managedFields"] = [{**owned, "manager": "turnout-rollout", "operation": "Update"}]
    assert "replicas" not in turns.with_counts_of(now, deployment(make, "1"))["spec"]


def test_copies_that_the_release_leaves_to_an_autoscaler_stay_as_many_as_there_are(make: Any) -> None:
    fixed = make.deployment("api", "1")
    scaled = {**fixed, "spec": {key: value for key, value in fixed["spec"].items() if key != "replicas"}}
    now = copy.deepcopy(make.deployment("api", "2"))
    owned = {"manager": "turnout", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    now["metadata"]["managedFields"] = [owned]
    now["spec"]["replicas"] = 7
    [made] = turns.placed([scaled], {}, {key(now): now})
    assert made["spec"]["replicas"] == 7
    assert list(turns.placed([fixed], {}, {key(now): now})) == [fixed]
    now["spec"]["replicas"] = 0
    assert list(turns.placed([scaled], {}, {key(now): now})) == [scaled], "stopped: an autoscaler starts nothing"


def test_callers_go_back_before_those_that_they_call() -> None:
    assert turns.ordered(["tools", "api", "web"], {"web": ["api"], "api": ["tools"]}) == [
        ("web",),
        ("api",),
        ("tools",),
    ]


def test_the_cursor_ends_where_the_traffic_is() -> None:
    moved = Turn("api", "a", 5)
    before = turns.described(SERVING_B, [moved])
    assert before.of("api") == Place("b", "a", 5, two=True)
    assert turns.settled(before, [moved]).of("api") == Place("a", "a", 5, two=True)


@pytest.mark.parametrize("letter", ["a", "b"])
def test_only_the_track_that_ends_is_idle(make: Any, letter: Letter) -> None:
    manifest = lettered(deployment(make, "1"), letter)
    assert turns.is_idle(manifest, {"api": Turn("api", "a", 1)}) is (letter == "b")
