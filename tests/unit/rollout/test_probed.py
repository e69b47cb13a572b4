"""A rollout with a probe, which asks until the last old pod has ended: what it drops by then fails the rollout."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from cli.errors import RolledBack
from cli.rollout import drive, starting
from cli.rollout.step import Target
from tests.unit.rollout.driven import World


class Probed:
    """A probe whose last request is answered, or `dropped`, after the last step."""

    def __init__(self, dropped: str | None = None) -> None:
        self.failed: str | None = None
        self._dropped = dropped
        self.counts = {"sent": 7, "failed": 0}

    def finish(self) -> None:
        self.failed = self._dropped
        self.counts = {"sent": 8, "failed": int(self._dropped is not None)}


def probed(world: World, monkeypatch: pytest.MonkeyPatch, probe: Probed) -> drive.Rolled:
    monkeypatch.setattr(starting, "_probe", lambda _: nullcontext(probe))
    monkeypatch.setattr(drive, "lingering", lambda *_: 0.0)
    world.describe("2", "blue-green")
    return world.start()


def test_a_request_that_is_dropped_after_the_last_step_fails_the_rollout(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RolledBack, match="the probe dropped a request: status 503") as failed:
        probed(world, monkeypatch, Probed("status 503"))
    assert failed.value.exit_code == 6
    assert world.entry("api") == "a"


def test_the_probe_counts_until_its_last_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert probed(world, monkeypatch, Probed()).probe == {"sent": 8, "failed": 0}


def test_the_probe_goes_on_while_old_pods_serve_on(world: World) -> None:
    world.describe("2")
    moved = (Target("api"), Target("tools"))
    assert drive.lingering(world.settings, moved) == drive.LINGER + world.settings.app.services["api"].drain.pause
    assert drive.lingering(world.settings, ()) == drive.LINGER
