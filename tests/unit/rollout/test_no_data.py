"""Gates that have no data: what the settings make of it, and who lets through what nobody could tell."""

from __future__ import annotations

import pytest

from cli.errors import RolledBack
from cli.gates import watching
from cli.rollout import asking
from tests.unit.rollout.driven import Gates, Killed, World, ask, killed, rollout, said, while_it_waits


@pytest.mark.parametrize(("then", "raises"), [("go-on", None), ("fail", RolledBack)])
def test_no_data_is_what_the_settings_make_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, then: str, raises: type[Exception] | None
) -> None:
    monkeypatch.setattr(watching, "look", said("no data"))
    world.describe("2", "canary", soak=1, no_data=then)
    if raises:
        with pytest.raises(raises):
            world.start()
        assert "no data" in rollout(world).cause
    else:
        assert world.start().release


def test_where_no_data_fails_advance_waits_for_the_gates(world: World, gates: Gates) -> None:
    gates.verdicts = ("no data", "no data", "no data", "pass")
    world.describe("2", "blue-green", soak=60, no_data="fail")
    gates.on_look = lambda: len(gates.spans) == 1 and asking.must_ask(world.kube, "dev", "advance")
    assert world.start().release
    assert len(gates.spans) == 4
    assert any("as soon as the gates can tell" in event.text for event in rollout(world).events)


@pytest.mark.parametrize("asked", [(), ("advance",), ("resume",)], ids=["resume", "advance", "asked to resume"])
def test_whoever_resumes_lets_through_what_the_gates_have_no_data_of(
    world: World, gates: Gates, asked: tuple[asking.What, ...]
) -> None:
    gates.verdicts = ("no data",)
    world.describe("2", "blue-green", soak=1, no_data="pause")
    assert "no data" in world.start(detach=True).waits
    assert (rollout(world).status, rollout(world).open) == ("paused", True)
    looked = len(gates.spans)
    for what in asked:
        asking.must_ask(world.kube, "dev", what)
    assert world.resume(detach=True).waits == ""
    assert (rollout(world).status, world.entry("api"), len(gates.spans)) == ("done", "b", looked)


def test_what_was_let_through_is_asked_about_again_at_the_next_share(world: World, gates: Gates) -> None:
    gates.verdicts = ("no data",)
    world.describe("2", "canary", soak=1, no_data="pause")
    waited = [world.start(detach=True).waits, *(world.resume(detach=True).waits for _ in range(3))]
    assert [bool(waits) for waits in waited] == [True, True, True, False]
    assert rollout(world).status == "done"


def test_no_data_can_be_let_through_after_its_driver_died(
    world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates.verdicts = ("no data",)
    world.describe("2", "blue-green", soak=1, no_data="pause")
    with monkeypatch.context() as patched:
        while_it_waits(patched, killed)
        with pytest.raises(Killed):
            world.start()
    looked = len(gates.spans)
    assert world.resume(detach=True).waits == ""
    assert (rollout(world).status, len(gates.spans)) == ("done", looked)


@pytest.mark.parametrize("what", ["resume", "advance"])
def test_no_data_is_let_through_by_whoever_asks_the_driver(
    world: World, gates: Gates, monkeypatch: pytest.MonkeyPatch, what: asking.What
) -> None:
    gates.verdicts = ("no data",)
    world.describe("2", "blue-green", soak=1, no_data="pause")
    while_it_waits(monkeypatch, ask(world, what))
    assert world.start().release


def test_what_was_asked_before_the_gates_spoke_lets_nothing_through(world: World, gates: Gates) -> None:
    """Whoever ends a soak early has not seen yet that there is no data."""
    gates.verdicts = ("no data",)
    world.describe("2", "blue-green", soak=1, no_data="pause")
    gates.on_look = ask(world, "advance")
    assert "no data" in world.start(detach=True).waits
    assert rollout(world).asked is None
