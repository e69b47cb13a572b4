"""What is known before anything is touched: that a saved plan holds, and which numbers of copies would change."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import context
from cli.commands import up
from cli.commands.driving import Work
from cli.drift import notice
from cli.engine import run
from cli.engine.model import FieldChange, Plan
from cli.errors import Refused, StalePlan, TurnoutError
from cli.kube.errors import Unreachable
from cli.plans import binding, files, saving, world
from cli.plans.binding import Bound
from cli.plans.saved import Saved, State, World
from cli.progress import Silent
from cli.review import live, policing
from cli.review.model import Reviewed
from cli.rollout import counts, cursor, debts, lock, possible, releases, traps, warmth, where
from cli.rollout.book import Debt
from infra.settings import load

SETTINGS = """
config:
  turnout:cluster: {sandbox: none, tier: dev}
  turnout:app:
    image: agents
    version: "1"
    services:
      api: {replicas: 4, rollout: {strategy: blue-green}}
  turnout:review: {thresholds: {fewer-copies: refuse}}
  turnout:postgres: {enabled: false}
  turnout:redis: {enabled: false}
"""
NOW = World(
    commit="c0ffee",
    clean=True,
    files={},
    state=State(digest="d"),
    server="https://dev",
    cluster="uid",
    tracks={},
    pins={},
    engine="pulumi",
    provider="own",
    turnout="1",
)
PLAN = Plan("dev", (), {}, 0.1, "pulumi", "own")


class Engine:
    """Previews no change."""

    environment = "dev"

    def __init__(self, root: Path) -> None:
        self.root = root

    def preview(self, _: Any) -> Plan:
        return PLAN


@pytest.fixture(autouse=True)
def surroundings(cluster: Any, kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(SETTINGS)
    cluster.namespaces.add("turnout-dev")

    @contextmanager
    def connect(_: Any) -> Any:
        yield kube

    monkeypatch.setattr(where, "connect", connect)
    monkeypatch.setattr(context, "project", lambda: tmp_path)
    monkeypatch.setattr(run, "check_settings", lambda *_: load(file, "dev", placeholders=True))
    monkeypatch.setattr(world, "look", lambda *_: NOW)


@pytest.fixture
def owing(kube: Any) -> None:
    releases.change(kube, "dev", lambda book: replace(book, debt=Debt(3, "release-3")))


def bound(folder: Path) -> Bound:
    times: dict[str, Any] = {"made": "2026-01-01T00:00:00Z", "expires": "2026-01-02T00:00:00Z"}
    return Bound(Saved(environment="dev", by="anna", on="anna@laptop", world=NOW, **times), folder / "dev.plan")


@pytest.mark.usefixtures("owing")
def test_while_a_rollback_is_owed_no_plan_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []
    monkeypatch.setattr(files, "write", lambda *given: written.append(given))
    order = saving.Order(tmp_path / "dev.plan", "dev", timedelta(hours=24))
    with pytest.raises(TurnoutError, match="rollback to release 3") as refused:
        saving.save(order, Reviewed(PLAN))
    assert refused.value.next == f"turnout repair dev, then turnout preview dev --save {order.file}"
    assert written == []


@pytest.mark.usefixtures("owing")
def test_what_a_rollback_owes_is_not_settled_for_a_plan(kube: Any, tmp_path: Path) -> None:
    engine: Any = Engine(tmp_path)
    with pytest.raises(StalePlan, match="nothing was touched") as stale:
        bound(tmp_path).must_hold(engine, kube)
    assert "a rollback to release 3, which the state does not know of yet" in stale.value.why
    assert stale.value.next.startswith("turnout repair dev, then turnout preview dev --save")
    assert debts.owed(kube, "dev") == Debt(3, "release-3")


def test_without_one_the_plan_holds(kube: Any, tmp_path: Path) -> None:
    engine: Any = Engine(tmp_path)
    bound(tmp_path).must_hold(engine, kube)


@pytest.fixture
def applying(kube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `up` under a lock, of an engine that has nothing to do."""

    @contextmanager
    def driving(_: Any) -> Any:
        with lock.environment_lock(kube, "dev", command="turnout up dev") as held:
            engine: Any = Engine(tmp_path)
            yield Work(kube, engine, held, Silent())

    monkeypatch.setattr(up, "driving", driving)
    monkeypatch.setattr(policing.Look, "must_hold", lambda _: None)


@pytest.fixture
def tracks(cluster: Any, kube: Any, make: Any) -> None:
    """Ten copies serve, and ten more are kept warm until now."""
    for letter in ("a", "b"):
        made = make.deployment("api", "1")
        made["metadata"] |= {"name": f"api-{letter}", "annotations": {warmth.UNTIL: "2026-01-01T00:00:00.000000Z"}}
        made["spec"]["replicas"] = 10
        cluster.put(made, "deployments")
    cursor.change(kube, "dev", lambda now: now.serving("api", "a"))


def copies(cluster: Any) -> list[int]:
    return [cluster.find("deployments", name)["spec"]["replicas"] for name in ("api-a", "api-b")]


@pytest.mark.usefixtures("applying", "tracks")
def test_an_up_whose_plan_no_longer_holds_leaves_a_warm_track_as_it_is(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one whose time is over."""

    def stale(*_: Any) -> None:
        raise StalePlan("the plan no longer holds; nothing was touched")

    monkeypatch.setattr(up, "_bound", lambda *_: bound(tmp_path))
    monkeypatch.setattr(binding.Bound, "must_equal", stale)
    with pytest.raises(StalePlan):
        up.up("dev", plan=tmp_path / "dev.plan")
    assert copies(cluster) == [10, 10]


@pytest.mark.usefixtures("applying", "tracks")
def test_fewer_copies_of_a_service_with_two_tracks_are_refused_like_any_others(cluster: Any) -> None:
    with pytest.raises(Refused) as refused:
        up.up("dev", yes=True, in_place=True)
    assert "fewer-copies: Deployment dev/api-a has 4 copies instead of 10" in refused.value.why
    assert copies(cluster) == [10, 10]


@pytest.mark.usefixtures("tracks")
def test_a_live_preview_shows_the_copies_that_an_apply_would_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(monkeypatch)
    [change] = live.plan(tmp_path, "dev", (), Silent()).changes
    assert (change.name, change.fields) == ("dev/api-a", (FieldChange("spec.replicas", 10, 4),))


def test_where_nobody_could_say_how_many_copies_run_a_live_preview_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: Any) -> None:
        raise Unreachable("no answer")

    alone(monkeypatch)
    monkeypatch.setattr(counts, "look", silent)
    [said] = live.plan(tmp_path, "dev", (), Silent()).diagnostics
    assert said.severity == "warning" and "how many copies run" in said.message


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine, and without what a preview asks beside it."""
    monkeypatch.setattr(run.Engine, "preview", lambda *_: PLAN)
    monkeypatch.setattr(live, "_left_open", lambda _: [])
    monkeypatch.setattr(notice, "question", lambda *_: lambda _: "")
    monkeypatch.setattr(possible, "likeliest", lambda *_, **__: "")
    monkeypatch.setattr(traps, "server", lambda _: None)
    monkeypatch.setattr(traps, "found", lambda *_: [])
    monkeypatch.setattr(where, "is_sandbox", lambda _: True)
