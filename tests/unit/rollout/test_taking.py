"""What failed is taken back, with its evidence; and what is told where that fails too, or cannot undo a migration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.errors import Refused, RollbackFailed, RolledBack, TurnoutError
from cli.gates import watching
from cli.progress import Silent
from cli.rollout import abort, doing, notify, possible, releases, rollback
from tests.unit.rollout.driven import Killed, World, killed, rollout, said


@pytest.mark.usefixtures("quick")
def test_a_first_release_that_fails_has_nothing_to_go_back_to(
    cluster: Any, kube: Any, make: Any, tmp_path: Path
) -> None:
    made = World(cluster, kube, make, tmp_path)
    made.describe("1")

    def fails() -> None:
        raise TurnoutError("not ready")

    made.on_up = fails
    with pytest.raises(TurnoutError, match="has no release to go back to") as failed:
        made.start()
    assert failed.value.exit_code == 1
    assert not rollout(made).open, "the next command is not refused for it"


@pytest.mark.usefixtures("quick")
def test_a_first_release_that_was_killed_can_be_aborted(cluster: Any, kube: Any, make: Any, tmp_path: Path) -> None:
    made = World(cluster, kube, make, tmp_path)
    made.describe("1")
    made.on_up = killed
    with pytest.raises(Killed):
        made.start()
    assert "none to go back to" in abort.abort(kube, "dev", Silent())
    assert not rollout(made).open
    assert releases.load(kube, "dev").open is None


def test_a_failed_gate_is_taken_back_with_its_evidence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "look", said("fail"))
    world.describe("2", "canary", soak=1)
    with pytest.raises(RolledBack) as failed:
        world.start()
    assert failed.value.exit_code == 6
    assert "gate errors of api failed" in failed.value.why
    assert "asked: up" in failed.value.why
    assert (world.entry("api"), world.copies("api-a")) == ("a", 4)
    assert (rollout(world).status, rollout(world).open) == ("failed", False)
    assert rollout(world).cause.startswith("gate errors of api failed: as the test wants")


def doomed(world: World, monkeypatch: pytest.MonkeyPatch, *, why: str) -> None:
    """A release whose gate fails, and whose rollback fails too."""

    def fails(*_: Any) -> None:
        raise RollbackFailed("api does not come up", why=why, next="turnout status dev")

    monkeypatch.setattr(watching, "look", said("fail"))
    monkeypatch.setattr(rollback, "take_back", fails)
    world.describe("2", "canary", soak=1)


def test_a_rollback_that_fails_too_leaves_it_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    doomed(world, monkeypatch, why="b serves")
    with pytest.raises(RollbackFailed, match="b serves") as failed:
        world.start()
    assert failed.value.exit_code == 7
    assert (rollout(world).status, rollout(world).open) == ("failed", True)


def test_a_rollback_that_is_refused_has_failed_and_what_serves_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = world.make.deployment("api", "1")
    recorded["spec"]["template"]["spec"]["volumes"] = [{"name": "s", "secret": {"secretName": "api-keys"}}]
    world.cluster.put(world.make.record("release-1", [recorded])[0], "configmaps")
    monkeypatch.setattr(watching, "look", said("fail"))
    told: list[str] = []
    monkeypatch.setattr(notify, "rollback_failed", lambda _, __, why: told.append(why))
    world.describe("2", "canary", soak=1)
    with pytest.raises(RollbackFailed, match="gone: Secret dev/api-keys") as failed:
        world.start()
    assert failed.value.exit_code == 7
    assert "gate errors of api failed" in failed.value.why
    assert "what serves now:" in failed.value.why
    assert "turnout rollback dev --to N" in failed.value.next
    assert (rollout(world).status, rollout(world).open) == ("failed", True)
    assert told == ["release 1 needs what dev no longer has; nothing was touched"]


def test_what_serves_is_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    doomed(world, monkeypatch, why="what serves now:\n  api")
    with pytest.raises(RollbackFailed) as failed:
        world.start()
    assert failed.value.why.count("what serves now") == 1


MIGRATION = "{migrate: {reversible: false}}"
CROSSED = "migrate of the unfinished rollout"


def test_a_migration_of_a_failed_rollout_is_told_and_does_not_keep_the_bad_release(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "look", said("fail"))
    world.describe("2", "canary", soak=1, jobs=MIGRATION)
    with pytest.raises(RolledBack, match=f"{CROSSED} cannot be undone: the release that comes back") as failed:
        world.start()
    assert failed.value.exit_code == 6
    assert (world.entry("api"), rollout(world).open) == ("a", False)
    assert any(CROSSED in event.text for event in rollout(world).events)


@pytest.mark.parametrize(("step", "crossed"), [("describe", ()), ("ready", (CROSSED,))])
def test_a_migration_of_a_half_done_rollout_stands_in_the_way_once_it_began(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, crossed: tuple[str, ...]
) -> None:
    killed_in(world, monkeypatch, step)
    wanted = rollback.prepare(world.kube, "dev")
    assert wanted.crossed == crossed
    [answer] = possible.ask(world.kube, "dev", 1)
    assert [text for text in answer.against if "migration" in text] == [
        f"a migration cannot be undone: {text} (--cross goes over it)" for text in crossed
    ]
    if crossed:
        with pytest.raises(Refused, match="--cross"):
            rollback.must_be_possible(wanted)


def test_an_abort_tells_of_a_migration(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_in(world, monkeypatch, "ready")
    assert f"{CROSSED} cannot be undone" in abort.abort(world.kube, "dev", Silent())


def killed_in(world: World, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    do = doing.Doing.do

    def doomed(self: doing.Doing, wanted: Any) -> None:
        if wanted.does == step:
            raise Killed
        do(self, wanted)

    world.describe("2", "canary", jobs=MIGRATION)
    with monkeypatch.context() as patched:
        patched.setattr(doing.Doing, "do", doomed)
        with pytest.raises(Killed):
            world.start()
