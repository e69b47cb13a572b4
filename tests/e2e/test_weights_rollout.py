"""A canary behind a gateway, driven by `turnout`: exact shares with three pods, and no request lost there and back."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.demo.project import NEW, OLD
from cli.kube.client import connect
from cli.progress import Lines
from cli.rollout import moves, opened
from cli.rollout.control import moment
from cli.rollout.opened import Rollout
from cli.rollout.where import from_settings
from tests.e2e.test_weights import DEVIATIONS, GATEWAY, Seen, load, with_gateway
from tests.soak.rollouts.place import SERVICE, Place, Shape, place

pytestmark = pytest.mark.pods

SPACE = "weighed"
SHARE = 10
WATCHED = 15


@dataclass(frozen=True)
class Routed(Shape):
    """Behind the sandbox's Gateway."""

    strategy: Any = "canary"
    replicas: int = 3
    steps: tuple[int, ...] = (SHARE,)
    soak: int = WATCHED

    def to_settings(self, sandbox: str) -> dict[str, Any]:
        made = super().to_settings(sandbox)
        route = {"gateway": GATEWAY[0], "namespace": GATEWAY[1]}
        made["turnout:app"]["services"][SERVICE]["route"] = route
        return made


@pytest.fixture(scope="module")
def weighed(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with connect(from_settings({"sandbox": sandbox})) as kube:
        with_gateway(kube, sandbox)
    with place(tmp_path_factory.mktemp("weighed"), SPACE, sandbox, Lines(), Routed()) as one:
        yield one


def test_a_canary_gets_its_exact_share_and_nothing_is_lost_there_and_back(
    weighed: Place, sandbox: str, tmp_path: Path
) -> None:
    weighed.describe(Routed(version=NEW))
    with load(weighed.kube, sandbox, tmp_path) as seen:
        weighed.turnout("rollout", "start", SPACE, "--yes")
        rolled = time.time()
        found = opened.read(weighed.kube, SPACE)
        assert found
        assert weights(weighed) == {"a": 0, "b": 100}
        time.sleep(3)
        left = time.time()
        weighed.turnout("rollback", SPACE, "--yes")
        back = time.time()
        assert weights(weighed) == {"a": 100, "b": 0}
        time.sleep(3)
    assert seen.counted["failed"] == 0, lost(seen, found)
    answers = seen.between(*watched(found))
    count = sum(answers.values())
    bound = DEVIATIONS * math.sqrt(SHARE / 100 * (1 - SHARE / 100) / count)
    assert abs(answers[NEW] / count - SHARE / 100) <= bound, f"{answers} in {WATCHED} s, ± {bound:.3f}"
    assert set(seen.between(rolled, left)) == {NEW}
    assert set(seen.between(back, time.time())) == {OLD}


def test_a_preview_names_the_traps_that_the_settings_walk_into(weighed: Place) -> None:
    weighed.describe(Routed())
    assert warnings(weighed) == []
    weighed.describe(Routed(warm=1, soak=5))
    assert [text.partition(":")[0] for text in warnings(weighed)] == [
        f"app.services.{SERVICE}.rollout.soak",
        f"app.services.{SERVICE}.rollout.warm",
    ]


def warnings(one: Place) -> list[str]:
    """The traps that a preview tells, in their order."""
    said = [entry["message"] for entry in one.json("preview", SPACE)["environments"][0]["diagnostics"]]
    return sorted(text for text in said if "; better: " in text)


def watched(found: Rollout) -> tuple[float, float]:
    """From when to when the canary had its share."""
    texts = [event.text for event in found.events]
    at = next(number for number, text in enumerate(texts) if text.startswith(f"watch {SERVICE} at {SHARE} %"))
    began, ended = (moment(found.events[number].at).timestamp() for number in (at, at + 1))
    return began, ended


def lost(seen: Seen, found: Rollout) -> str:
    """The seconds in which requests were lost, and what was done when, each on a line."""
    rows = [(row["at"], str(row)) for row in seen.counted["timeline"] if row.get("failed")]
    done = [(moment(event.at).timestamp(), event.text) for event in found.events]
    lines = [f"{at:.1f} {text}" for at, text in sorted([*rows, *done])]
    return "\n".join([str(seen.counted["failures"][:9]), str(seen.counted["late"]), *lines])


def weights(one: Place) -> dict[Any, int]:
    return moves.weights(one.kube.get(moves.ROUTE, "HTTPRoute", SERVICE, SPACE), SERVICE)
