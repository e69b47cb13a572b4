"""Pauses hold a rollout between two steps; an advance ends the soak that it was asked in, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli.rollout import asking, doing, drive, opened, starting, wait
from cli.rollout.step import Does, Step
from tests.unit.rollout import driven
from tests.unit.rollout.driven import Gates, Killed, NoWatcher, World, ask, killed, rollout, while_it_waits


def test_a_pause_holds_the_rollout_between_two_steps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --detach its process ends there, and another one goes on."""
    world.describe("2", "blue-green")
    do = doing.Doing.do

    def asked(self: doing.Doing, step: Any) -> None:
        do(self, step)
        if step.does == "ready":
            assert "asked" in asking.must_ask(world.kube, "dev", "pause")

    monkeypatch.setattr(doing.Doing, "do", asked)
    with world.site() as site:
        start = starting.Start("turnout rollout start dev", detach=True)
        rolled = starting.start(site, start)
    assert rolled.waits
    assert (rollout(world).status, world.entry("api")) == ("paused", "a")
    monkeypatch.undo()
    monkeypatch.setattr(drive, "Watcher", NoWatcher)
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    assert world.resume().waits == ""
    assert world.entry("api") == "b"


def test_advance_ends_the_soak_under_way_after_one_more_look(world: World, gates: Gates) -> None:
    world.describe("2", "blue-green", soak=60)
    gates.on_look = ask(world, "advance")
    assert world.start().release
    assert len(gates.spans) > 1 and gates.spans[-1] < 10


def test_advance_skips_no_later_soak(world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for when there was nothing to skip is over with that step."""
    world.describe("2", "blue-green", soak=2)
    after(monkeypatch, "route", ask(world, "advance"))
    assert world.start().release
    assert gates.spans[-1] >= 2


@pytest.mark.parametrize("detach", [False, True], ids=["waits", "detached"])
def test_advance_of_a_pause_leaves_the_soak_after_it_whole(
    world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch, detach: bool
) -> None:
    world.describe("2", "blue-green", soak=2)
    after(monkeypatch, "route", ask(world, "pause"))
    while_it_waits(monkeypatch, ask(world, "advance"))
    if world.start(detach=detach).waits:
        asking.must_ask(world.kube, "dev", "advance")
        assert world.resume().waits == ""
    assert rollout(world).status == "done"
    assert gates.spans[-1] >= 2


def test_advance_ends_the_second_of_two_soaks_that_look_alike(
    world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services that go together by unlike shares are watched by steps that say the same."""
    unlike = driven.SETTINGS.replace(", calls: [tools]", "").replace(
        "rollout: {{soak: 0}}", "rollout: {{strategy: canary, steps: [10, 40], soak: 60}}"
    )
    monkeypatch.setattr(driven, "SETTINGS", unlike)
    world.describe("2", "canary", soak=60)
    gates.on_look = ask(world, "advance")
    assert world.start().release
    watches = [step for step in rollout(world).course if step.does == "watch"]
    assert watches[0] == watches[1] != watches[2]
    assert max(gates.spans) < 20
    assert len(rollout(world).answers) == 3


def test_advance_is_heeded_by_whoever_drives_next(world: World, gates: Gates) -> None:
    """Asked for a soak whose driver was dead."""
    world.describe("2", "blue-green", soak=60)
    gates.on_look = killed
    with pytest.raises(Killed):
        world.start()
    gates.on_look = lambda: None
    asking.must_ask(world.kube, "dev", "advance")
    assert world.resume().waits == ""
    assert len(gates.spans) == 2 and gates.spans[-1] < 10


@pytest.mark.parametrize(
    ("status", "does", "skipped"), [("running", "watch", 0), ("paused", "watch", -1), ("running", "route", -1)]
)
def test_advance_is_for_the_soak_that_it_was_asked_in(
    world: World, status: opened.Status, does: Does, skipped: int
) -> None:
    found = opened.Rollout("r9", status=status, course=(Step(does, ("api",)),))
    opened.begin(world.kube, "dev", found)
    with world.site():
        answered = asking.ask(world.kube, "dev", "advance")
    assert ("at once" in answered) == (does == "watch")
    assert (asked := rollout(world).asked) and asked.step == skipped


def after(monkeypatch: pytest.MonkeyPatch, does: str, act: Callable[[], object]) -> None:
    """Have something happen at the end of each step of that kind."""
    do = doing.Doing.do

    def done(self: doing.Doing, step: Any) -> None:
        do(self, step)
        if step.does == does:
            act()

    monkeypatch.setattr(doing.Doing, "do", done)
