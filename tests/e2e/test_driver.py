"""Real pods under load: a rollout is killed in each of its steps, and another process goes on with it each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.demo.project import NEW, OLD
from cli.progress import Lines
from cli.rollout import opened, status
from cli.rollout.opened import Rollout
from components.workload.spec import Strategy
from tests.e2e.stepping import Stepper
from tests.soak.rollouts.place import SERVICE, Place, Shape, Under, place

pytestmark = pytest.mark.pods

SHAPE = Shape(replicas=2, steps=(50,), soak=1)
LOOK = 0.02
LONGEST_STEP = 240.0
MOMENTS = (0.0, 0.05, 0.3, 0.1)
"""Seconds that a step has until its driver is killed; the last one has none, so that it is not over before."""


@pytest.fixture(scope="module")
def kills(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("kills"), "kills", sandbox, Lines(), SHAPE) as one:
        yield one


@pytest.mark.parametrize(("strategy", "version"), [("blue-green", NEW), ("canary", OLD), ("rolling", NEW)])
def test_killed_in_each_step_and_resumed(kills: Place, tmp_path: Path, strategy: Strategy, version: str) -> None:
    kills.describe(replace(kills.shape, strategy=strategy, version=version))
    with kills.load(f"killed-{strategy}") as load:
        steps = killed_in_each_step(kills, tmp_path)
    assert steps == list(range(len(last(kills).course)))
    assert len(steps) >= (4 if strategy == "rolling" else 11)
    assert (load.counted["failed"], load.counted["failures"]) == (0, [])
    assert set(load.counted["versions"]) == {OLD, NEW}
    assert last(kills).status == "done"
    assert serving(kills) == {version: 2}
    assert kills.json("up", kills.environment, "--yes")["changes"] == []


def test_killed_half_way_and_rolled_back_at_once(kills: Place) -> None:
    """Half of the traffic is on the new track, and nobody drives."""
    [before] = serving(kills)
    kills.describe(replace(kills.shape, strategy="canary", version=NEW if before == OLD else OLD, soak=120))
    with kills.load("half-way") as load:
        under = kills.start("rollout", "start", kills.environment, "--yes")
        assert killed_when(kills, under, lambda now: now.step is not None and now.step.does == "watch")
        kills.turnout("rollback", kills.environment, "--yes", "--reason", "killed half-way")
    assert (load.counted["failed"], load.counted["failures"]) == (0, [])
    assert serving(kills) == {before: 2}
    assert not last(kills).open
    kills.turnout("unpin", kills.environment)


def killed_in_each_step(kills: Place, folder: Path) -> list[int]:
    """The steps that were under way when their driver was killed, some time after they had begun."""
    killed: list[int] = []
    while True:
        words = ("resume", kills.environment) if killed else ("start", kills.environment, "--yes")
        with Stepper(kills, folder, "rollout", *words, when="within") as driver:
            step = next_step(driver, len(killed))
            if step is None:
                driver.done()
                return killed
            if step < len(last(kills).course) - 1:
                driver.go()
                time.sleep(MOMENTS[step % len(MOMENTS)])
        killed.append(step)


def next_step(driver: Stepper, least: int) -> int | None:
    """The number of the next step from that one on in which the driver is; None when it came to its end."""
    while at := driver.next():
        if (number := int(at.split()[0])) >= least:
            return number
    return None


def killed_when(kills: Place, under: Under, so: Callable[[Rollout], bool]) -> bool:
    """Kill the driver as soon as the open rollout is `so`; False where it came to its good end before."""
    until = time.monotonic() + LONGEST_STEP
    while time.monotonic() < until:
        ended = under.process.poll() is not None
        found = opened.under_way(kills.kube, kills.environment)
        if found is not None and so(found) and not ended:
            under.process.kill()
            under.process.wait()
            return True
        if ended:
            under.done()
            return False
        time.sleep(LOOK)
    under.process.kill()
    raise AssertionError(f"no next step within {LONGEST_STEP} s: {under.done(-9)}")


def last(kills: Place) -> Rollout:
    found = opened.read(kills.kube, kills.environment)
    assert found is not None
    return found


def serving(kills: Place) -> dict[str, int]:
    """Version to ready pods of the track that serves."""
    found = status.read(kills.kube, kills.environment, component="app").workloads
    entry = kills.kube.get("v1", "Service", SERVICE, kills.environment)["spec"]["selector"]
    name = f"{SERVICE}-{entry['turnout.dev/track']}"
    return dict(next(one for one in found if one.object == name).serving)
