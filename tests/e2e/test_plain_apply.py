"""A plain `pulumi up` at each step of each strategy moves no traffic and no step, from a fresh and a stale checkout.

It may be refused; then it says which command is next.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.demo.project import NEW, OLD
from cli.progress import Lines
from cli.rollout import cursor, opened
from components.workload.spec import Strategy
from tests.e2e.stepping import Stepper
from tests.soak.rollouts.place import SERVICE, SMALL, Place, Shape, Under, place

pytestmark = pytest.mark.pods

AHEAD = "describe"
"""After it the same settings do to a rolling service just what the rollout's next step does."""
OVER = ("serve", "warm")
"""From here on the new release is the one that serves: older settings are a change like any other."""
SHAPE = replace(SMALL, replicas=2, steps=(50,), soak=1, warm=3600)


@dataclass(frozen=True)
class Doomed(Shape):
    """Given up soon."""

    def to_settings(self, sandbox: str) -> dict[str, Any]:
        made = super().to_settings(sandbox)
        made["turnout:app"]["services"][SERVICE] |= {"slow_start": 5, "deadline": 10}
        return made


@pytest.fixture(scope="module")
def plain(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("plain"), "plain", sandbox, Lines(), SHAPE) as one:
        yield one


def applied(checkout: Place) -> dict[str, Any]:
    """What a plain `pulumi up` in that checkout came to."""
    under = Under((sys.executable, "-m", "tests.e2e.plain", checkout.environment), checkout.folder, checkout.variables)
    found: dict[str, Any] = json.loads(under.done().out)
    return found


def standing(one: Place) -> dict[str, Any]:
    """What says who gets traffic, who runs what, and where the rollout stands."""
    service = one.kube.get("v1", "Service", SERVICE, one.environment)
    deployments = {row["metadata"]["name"]: row for row in one.kube.list("apps/v1", "Deployment", one.environment)}
    rollout = opened.read(one.kube, one.environment)
    return {
        "selector": service["spec"]["selector"],
        "copies": {name: row["spec"]["replicas"] for name, row in deployments.items()},
        "templates": {name: row["spec"]["template"] for name, row in deployments.items()},
        "cursor": cursor.read(one.kube, one.environment).places,
        "step": rollout and (rollout.id, rollout.at, rollout.status),
    }


def harmless(one: Place, checkout: Place, when: str) -> list[str]:
    """What a plain up from that checkout did that it must not; nothing when all is well."""
    before = standing(one)
    came = applied(checkout)
    moved = [key for key, value in standing(one).items() if value != before[key]]
    wrong = [f"{when}: {', '.join(moved)} moved, refused: {came['refused'] or 'no'}"] if moved else []
    if came["refused"] and "turnout " not in came["refused"]:
        wrong.append(f"{when}: refused without the next command: {came['refused']}")
    if not came["refused"] and came["left"]:
        wrong.append(f"{when}: shown after it: {came['left']}")
    return wrong


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_at_each_step(plain: Place, tmp_path: Path, strategy: Strategy) -> None:
    plain.describe(replace(SHAPE, version=NEW, strategy=strategy))
    stale = plain.another(tmp_path / "stale", replace(SHAPE, version=OLD, strategy=strategy))
    wrong: list[str] = []
    with Stepper(plain, tmp_path / "steps", "rollout", "start", plain.environment, "--yes") as stepper:
        while step := stepper.next():
            does = step.split()[1]
            if strategy != "rolling" or does != AHEAD:
                wrong += harmless(plain, plain, f"{strategy}, after {step}, fresh")
            if does not in OVER:
                wrong += harmless(plain, stale, f"{strategy}, after {step}, stale")
        stepper.done()
    back(plain, strategy)
    assert not wrong, "\n".join(wrong)


def test_after_an_abort(plain: Place, tmp_path: Path) -> None:
    bad = plain.another(tmp_path / "bad", replace(SHAPE, version=NEW, strategy="canary"))
    plain.describe(replace(SHAPE, version=NEW, strategy="canary"))
    with Stepper(plain, tmp_path / "steps", "rollout", "start", plain.environment, "--yes") as stepper:
        while (step := stepper.next()) and not step.endswith("route"):
            pass
    plain.turnout("rollout", "abort", plain.environment)
    plain.describe(replace(SHAPE, version=OLD, strategy="canary"))
    assert harmless(plain, plain, "after an abort, fresh") == []
    assert harmless(plain, bad, "after an abort, stale") == []
    plain.turnout("unpin", plain.environment)


def test_after_an_up_that_failed(plain: Place, tmp_path: Path) -> None:
    """Its pods never get ready and the old ones serve on, for whoever applies the same settings or those before."""
    plain.describe(SHAPE)
    plain.turnout("up", plain.environment, "--yes")
    before = standing(plain)
    plain.describe(Doomed(version="0.0.0", replicas=SHAPE.replicas))
    plain.turnout("up", plain.environment, "--yes", expect=1)
    failed = standing(plain)
    assert {key for key in failed if failed[key] != before[key]} == {"templates"}
    assert applied(plain)["refused"], "the same settings fail once more"
    assert standing(plain) == failed
    came = applied(plain.another(tmp_path / "earlier", SHAPE))
    assert (came["refused"], came["left"], standing(plain)) == ("", [], before)
    plain.describe(SHAPE)
    plain.turnout("up", plain.environment, "--yes")


def test_with_the_state_removed(plain: Place, tmp_path: Path) -> None:
    plain.describe(replace(SHAPE, version=NEW, strategy="blue-green"))
    plain.turnout("rollout", "start", plain.environment, "--yes")
    for version in (OLD, NEW):
        lost = plain.another(tmp_path / version, replace(SHAPE, version=version, strategy="blue-green"))
        lost.variables["PULUMI_BACKEND_URL"] = f"file://{tmp_path}/{version}/lost"
        Path(tmp_path, version, "lost").mkdir()
        before = standing(plain)
        came = applied(lost)
        assert came["refused"]
        assert standing(plain) == before
    back(plain, "blue-green")


def back(one: Place, strategy: Strategy) -> None:
    """To the old version, by a rollback; the settings agree."""
    one.turnout("rollback", one.environment, "--yes")
    one.describe(replace(SHAPE, version=OLD, strategy=strategy))
    one.turnout("up", one.environment, "--yes")
    one.turnout("unpin", one.environment)
