"""A rollback that waited for the lock: what others did meanwhile is not undone for whoever did not know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import context
from cli.commands.rollback import rollback as command
from cli.errors import Refused, TurnoutError
from cli.progress import Silent
from cli.rollout import lock, opened, pins, releases, rollback, wait, where
from cli.rollout.opened import Rollout

Waiting = Callable[..., None]


@pytest.fixture
def waiting(kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    """`turnout rollback dev --yes`, and what happens before it gets the lock."""
    take = lock.environment_lock

    @contextmanager
    def connect(*_: Any) -> Iterator[Any]:
        yield kube

    def run(happens: Callable[[], object], **options: Any) -> None:
        @contextmanager
        def waited(*words: Any, **how: Any) -> Iterator[lock.Held]:
            monkeypatch.setattr(lock, "environment_lock", take)
            happens()
            with take(*words, **how) as held:
                yield held

        monkeypatch.setattr(lock, "environment_lock", waited)
        command("dev", yes=True, **options)

    monkeypatch.setattr(where, "connect", connect)
    monkeypatch.setattr(context, "_chosen", tmp_path)
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    return run


class Past:
    """Releases of one Deployment, and what was done to them."""

    def __init__(self, cluster: Any, kube: Any, make: Any) -> None:
        self._cluster, self._kube, self._make = cluster, kube, make
        cluster.put(make.ready(make.deployment("api", "0")), "deployments")

    def record(self, version: str) -> str:
        """The objects of a release are there, and its record."""
        made = self._make.deployment("api", version)
        self._cluster.now = f"2026-01-01T00:0{version}:00Z"
        self._cluster.put(self._make.record(f"release-{version}", [made])[0], "configmaps")
        self._cluster.find("deployments", "api-a")["spec"] = made["spec"]
        return f"release-{version}"

    def up(self, version: str, kind: Any = "up") -> None:
        with releases.attempt(self._kube, "dev", kind=kind) as attempt:
            attempt.succeeded(self.record(version))

    @contextmanager
    def going_up(self) -> Iterator[releases.Attempt]:
        with releases.attempt(self._kube, "dev", kind="up") as attempt:
            yield attempt

    def rollout(self, id: str = "r1", record: str = "release-2") -> None:
        opened.begin(self._kube, "dev", Rollout(id, "bea", record=record))

    def ended(self, status: opened.Status, id: str = "r1") -> None:
        opened.change(self._kube, "dev", id, lambda now: now.ended(status))

    def back(self) -> None:
        order = rollback.Order("turnout rollback dev")
        with lock.environment_lock(self._kube, "dev", command=order.command) as held:
            rollback.carry_out(self._kube, rollback.prepare(self._kube, "dev"), order, held, Silent())

    @property
    def image(self) -> str:
        pod = self._cluster.find("deployments", "api-a")["spec"]["template"]["spec"]
        return str(pod["containers"][0]["image"])


@pytest.fixture
def past(cluster: Any, kube: Any, make: Any) -> Past:
    """Three releases; the last one serves."""
    made = Past(cluster, kube, make)
    for version in ("1", "2", "3"):
        made.up(version)
    return made


def test_nothing_happened(past: Past, waiting: Waiting) -> None:
    waiting(lambda: None)
    assert past.image == "api:2"


def test_somebody_else_went_back(past: Past, kube: Any, waiting: Waiting) -> None:
    with pytest.raises(Refused, match="somebody else went back meanwhile: release 4 serves") as refused:
        waiting(past.back)
    assert refused.value.exit_code == 4
    assert "turnout status dev" in refused.value.next
    assert past.image == "api:2"
    assert [pin.number for pin in pins.read(kube, "dev").pins] == [3]


def test_somebody_else_went_back_to_the_first(cluster: Any, kube: Any, make: Any, waiting: Waiting) -> None:
    past = Past(cluster, kube, make)
    past.up("1")
    past.up("2")
    with pytest.raises(Refused, match="somebody else went back meanwhile: release 3 serves"):
        waiting(past.back)


def test_a_number_says_what_is_meant_whoever_went_back(past: Past, waiting: Waiting) -> None:
    waiting(past.back, to=1)
    assert past.image == "api:1"


def test_a_mending_release_came(past: Past, waiting: Waiting) -> None:
    with pytest.raises(Refused, match="somebody else changed dev meanwhile: release 4 serves"):
        waiting(lambda: past.up("4"))
    assert past.image == "api:4"


def test_the_gate_of_the_open_rollout_failed(past: Past, waiting: Waiting) -> None:
    past.rollout(record="release-3")
    with pytest.raises(Refused, match="somebody else went back meanwhile: release 3 serves"):
        waiting(lambda: past.ended("failed"))
    assert past.image == "api:3"


def test_the_open_rollout_was_taken_back_and_a_mending_one_is_open(past: Past, waiting: Waiting) -> None:
    def happens() -> None:
        past.ended("failed")
        past.rollout("r2", record="release-3")

    past.rollout(record="release-3")
    with pytest.raises(Refused, match="a rollout began meanwhile"):
        waiting(happens)


def test_the_open_rollout_was_taken_back_and_a_mending_release_serves(past: Past, waiting: Waiting) -> None:
    def happens() -> None:
        past.ended("failed")
        past.up("4")

    past.rollout(record="release-3")
    with pytest.raises(Refused, match="somebody else changed dev meanwhile: release 4 serves"):
        waiting(happens)


def test_the_open_rollout_went_on_and_is_gone_back_from(past: Past, kube: Any, waiting: Waiting) -> None:
    past.rollout(record="release-3")
    waiting(lambda: opened.change(kube, "dev", "r1", lambda now: replace(now, at=1)))
    assert past.image == "api:3"
    found = opened.read(kube, "dev")
    assert found and (found.open, found.status) == (False, "aborted")


def test_the_open_rollout_was_done_and_is_gone_back_from(past: Past, waiting: Waiting) -> None:
    def happens() -> None:
        past.up("4", "rollout")
        past.ended("done")

    past.rollout(record="release-3")
    waiting(happens)
    assert past.image == "api:3"


def test_the_up_under_way_ended_and_is_gone_back_from(past: Past, waiting: Waiting) -> None:
    with past.going_up() as attempt:
        waiting(lambda: attempt.succeeded(past.record("4")))
    assert past.image == "api:3"


def test_the_up_under_way_was_taken_back_already(past: Past, waiting: Waiting) -> None:
    with past.going_up(), pytest.raises(Refused, match="what was open is over: release 3 serves"):
        waiting(past.back)


def test_a_rollback_that_stopped_half_way_is_gone_on_with(
    past: Past, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def happens() -> None:
        with monkeypatch.context() as patch, pytest.raises(TurnoutError):
            patch.setattr(wait, "rolled_out", _broken)
            past.back()

    waiting(happens)
    assert past.image == "api:2"


def _broken(*_: Any, **__: Any) -> Any:
    raise TurnoutError("the cluster is gone")
