"""An open rollout stays where it was left: who may go on with it, and who may not."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import Interrupted, Locked, RollbackFailed, UsageError
from cli.gates import watching
from cli.progress import Silent
from cli.rollout import abort, doing, lock, releases, rollback, survey
from cli.rollout.going import Going
from cli.rollout.lock import environment_lock
from tests.unit.rollout.driven import Killed, World, place, rollout, said


def test_another_settings_file_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.describe("2", "blue-green")
    monkeypatch.setattr(doing.Doing, "do", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        world.start()
    world.describe("3", "blue-green")
    with pytest.raises(UsageError, match="put the file back"):
        world.resume()


def test_another_commit_is_refused_by_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.describe("2", "blue-green")
    monkeypatch.setattr(doing.Doing, "do", lambda *_: (_ for _ in ()).throw(Killed))
    monkeypatch.setattr(releases, "commit", lambda _: "abc123")
    with pytest.raises(Killed):
        world.start()
    monkeypatch.setattr(releases, "commit", lambda _: "def456")
    with pytest.raises(UsageError, match="abc123"):
        world.resume()


def test_only_one_is_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.describe("2", "blue-green")
    monkeypatch.setattr(doing.Doing, "do", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        world.start()
    with pytest.raises(Locked, match="turnout rollout resume dev"):
        world.start()


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), Interrupted("the engine was stopped")])
def test_ctrl_c_leaves_it_where_it_is(world: World, monkeypatch: pytest.MonkeyPatch, stopped: BaseException) -> None:
    world.describe("2", "blue-green")
    monkeypatch.setattr(doing.Doing, "do", lambda *_: (_ for _ in ()).throw(stopped))
    with pytest.raises(Interrupted, match="turnout rollout resume dev"):
        world.start()
    assert rollout(world).open
    monkeypatch.undo()


def test_a_lost_lock_ends_it_and_touches_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.describe("2", "blue-green")
    do = doing.Doing.do

    def stolen(self: doing.Doing, step: Any) -> None:
        if step.does == "route":
            lease = world.cluster.find("leases", "lock", "turnout-dev")
            lease["metadata"]["annotations"]["turnout.dev/claim"] = "another"
            self._site.held.look()
        do(self, step)

    monkeypatch.setattr(doing.Doing, "do", stolen)
    with pytest.raises(Locked):
        world.start()
    assert world.entry("api") == "a"
    assert lock.current(world.kube, "dev")


@pytest.mark.parametrize("ends", [Killed(), KeyboardInterrupt()])
@pytest.mark.parametrize("manual", [False, True], ids=["driver", "person"])
def test_what_is_on_its_way_back_is_not_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch, manual: bool, ends: BaseException
) -> None:
    def stopped(*_: Any) -> None:
        raise ends

    world.describe("2", "canary", soak=1)
    with monkeypatch.context() as patched:
        patched.setattr(Going, "_end_tracks", stopped)
        if manual:
            patched.setattr(doing.Doing, "_watch", lambda *_: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                world.start()
            with environment_lock(world.kube, "dev", command="turnout rollback dev") as held, pytest.raises(type(ends)):
                rollback.take_back(world.kube, "dev", rollback.Order("turnout rollback dev"), held, Silent())
        else:
            patched.setattr(watching, "look", said("fail"))
            with pytest.raises(type(ends)):
                world.start()
    assert rollout(world).open
    must_not_go_on(world)
    assert "taken back here" in abort.abort(world.kube, "dev", Silent())


def test_one_that_could_not_be_taken_back_is_not_resumed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RollbackFailed("api does not come up")

    world.describe("2", "canary", soak=1)
    with monkeypatch.context() as patched:
        patched.setattr(watching, "look", said("fail"))
        patched.setattr(rollback, "take_back", fails)
        with pytest.raises(RollbackFailed):
            world.start()
    must_not_go_on(world)


def must_not_go_on(world: World) -> None:
    """What is on its way back goes there: the settings describe the old track by now."""
    before = (place(world), len(world.held))
    with pytest.raises(UsageError, match="being taken back") as refused:
        world.resume()
    assert refused.value.next == "turnout rollback dev"
    assert (place(world), len(world.held)) == before
    assert survey.read(world.kube, "dev").next.startswith("turnout rollback dev")
    with pytest.raises(Locked) as shut:
        world.start()
    assert shut.value.next == "turnout rollback dev"
