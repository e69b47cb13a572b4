"""A rollout driven from its first step to its last: each strategy, and killed at each step and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.engine.model import FieldChange
from cli.errors import StalePlan
from cli.rollout import cursor, doing, drive, releases, starting, warmth
from cli.rollout.targets import Wish
from tests.unit.rollout.driven import Killed, World, place, rollout


@pytest.mark.usefixtures("quick")
def test_the_first_release_is_one_apply(cluster: Any, kube: Any, make: Any, tmp_path: Path) -> None:
    made = World(cluster, kube, make, tmp_path)
    made.describe("1", "canary")
    rolled = made.start()
    assert rolled.release and rolled.release.number == 1
    assert made.held == [set()]
    assert place(made) == cursor.Place()


def test_nothing_changed_nothing_is_done(world: World) -> None:
    assert world.start() == drive.Rolled(None, 0, 0.1)
    assert world.held == []


def test_rolling_goes_by_calls_and_holds_everybody_else(world: World) -> None:
    world.describe("2")
    rolled = world.start()
    assert rolled.release and rolled.release.number == 2
    assert world.held == [{"api", "runner"}, {"tools", "runner"}, set()]
    assert world.version("runner-a") == "runner:2"
    assert place(world) == cursor.Place()


@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
def test_a_second_track_takes_over(world: World, strategy: str) -> None:
    world.describe("2", strategy)
    assert world.start().release
    assert place(world) == cursor.Place("b", "b", 1, two=True)
    assert (world.entry("api"), world.copies("api-b"), world.version("api-b")) == ("b", 4, "api:2")
    assert world.version("api-a") == "api:1"
    kept = world.cluster.find("deployments", "api-a")["metadata"]["annotations"][warmth.UNTIL]
    assert kept == "2026-01-01T00:01:00.000000Z"
    assert (rollout(world).status, rollout(world).open) == ("done", False)


def test_a_warm_track_is_stopped_by_the_next_command_after_its_time(world: World) -> None:
    world.describe("2", "blue-green")
    world.start()
    assert world.copies("api-a") == 4
    world.cluster.now = "2026-01-01T00:01:01Z"
    world.start()
    assert (world.copies("api-a"), world.copies("api-b")) == (0, 4)


def test_copies_that_somebody_changed_are_in_the_plan_of_a_rollout(world: World) -> None:
    world.describe("2", "blue-green")
    world.start()
    world.cluster.find("deployments", "api-b")["spec"]["replicas"] = 10
    with world.site() as site:
        prepared = starting.prepare(site, Wish())
    assert [(change.name, change.fields) for change in prepared.plan.changes] == [
        ("dev/api-b", (FieldChange("spec.replicas", 10, 4),))
    ]
    world.start()
    assert world.copies("api-b") == 4


def test_a_plan_that_no_longer_holds_leaves_a_warm_track_as_it_is(world: World) -> None:
    """Also one whose time is over: it was said that nothing was touched."""

    class Stale:
        def must_equal(self, *_: Any) -> None:
            raise StalePlan("the plan no longer holds; nothing was touched")

    world.describe("2", "blue-green")
    world.start()
    world.cluster.now = "2026-01-01T00:01:01Z"
    world.describe("3", "blue-green")
    with world.site() as site, pytest.raises(StalePlan):
        starting.start(site, starting.Start("turnout rollout start dev", plan=Stale()))  # type: ignore[arg-type]
    assert (world.copies("api-a"), world.copies("api-b")) == (4, 4)


def test_strategies_may_change_with_every_release(world: World) -> None:
    for version, strategy in enumerate(("canary", "blue-green", "rolling", "canary", "rolling", "blue-green"), 2):
        world.describe(str(version), strategy)
        assert world.start().release
        serving = place(world).serving
        assert world.entry("api") == serving
        assert world.version(f"api-{serving}") == f"api:{version}"
        assert world.copies(f"api-{serving}") == 4


STRATEGIES = {"rolling": 3, "blue-green": 11, "canary": 18}


@pytest.mark.parametrize(("strategy", "at"), [(name, at) for name, count in STRATEGIES.items() for at in range(count)])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_killed_at_each_step_and_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch, strategy: str, at: int, late: bool
) -> None:
    """Before a step is done, or when it is done and nobody wrote that down."""
    world.describe("2", strategy)
    do, seen = doing.Doing.do, []

    def doomed(self: doing.Doing, step: Any) -> None:
        seen.append(step)
        if len(seen) == at + 1:
            if late:
                do(self, step)
            raise Killed
        do(self, step)

    with monkeypatch.context() as patched:
        patched.setattr(doing.Doing, "do", doomed)
        with pytest.raises(Killed):
            world.start()
    assert rollout(world).open
    assert world.copies(f"api-{world.entry('api').replace('both', 'a')}"), "whoever is sent there is answered"
    rolled = world.resume()
    assert rolled.release is None or rolled.release.number == 2
    book = releases.load(world.kube, "dev")
    assert book.current and (book.current.number, book.current.record, book.open) == (2, "release-2", None)
    letter = "a" if strategy == "rolling" else "b"
    assert (world.version(f"api-{letter}"), world.copies(f"api-{letter}"), world.entry("api")) == ("api:2", 4, letter)
    assert rollout(world).status == "done"
