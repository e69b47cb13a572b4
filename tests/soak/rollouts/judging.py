"""What gates say of good releases, of bad ones, and of releases that nobody asks anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cli.demo.project import NEW, OLD
from tests.soak.rollouts.bad import GATED, VARIANTS, Caught, answers, caught, of_traffic
from tests.soak.rollouts.drive import settle
from tests.soak.rollouts.place import INTERVAL, Place, Unexpected

Tell = Callable[[str], None]

LOOKS: Final = 2
"""How often the gates look at a good release before it goes on."""
ROLLED_BACK: Final = 6
NOTICED_WITHIN: Final = 2 * INTERVAL + 5
"""Seconds from the first bad answer to the last: two looks, and the going back."""


@dataclass
class Judged:
    """`false_alarms`: good releases that a gate failed. `silent_passes`: passes of gates that had nothing to go by."""

    good_runs: int = 0
    false_alarms: int = 0
    silent_runs: int = 0
    silent_passes: int = 0
    caught: list[Caught] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        told = {key: value for key, value in vars(self).items() if key != "caught"}
        return {"gates": {**told, "bad_releases": [one.to_json() for one in self.caught]}}


def judge(place: Place, runs: int, tell: Tell) -> Judged:
    """Both kinds of bad release, `runs` good ones under load and as many without. Raises Unexpected."""
    judged = Judged(caught=[caught(place, variant, tell) for variant in VARIANTS])
    settle(place, GATED)
    for number in range(runs):
        judged.good_runs += 1
        judged.false_alarms += _alarmed(place, _next(place), tell, f"good release {number + 1}")
    for number in range(runs):
        judged.silent_runs += 1
        judged.silent_passes += _passed(place, _next(place), tell, f"silent release {number + 1}")
    return judged


def shortcomings(judged: Judged) -> list[str]:
    """What does not hold."""
    wrong = [
        f"{one.variant}: {one.met.share:.1%} of the requests met it" for one in judged.caught if not one.met.bounded
    ]
    wrong += [
        f"{one.variant}: noticed after {one.noticed:.1f} s" for one in judged.caught if one.noticed > NOTICED_WITHIN
    ]
    if judged.false_alarms:
        wrong.append(f"{judged.false_alarms} of {judged.good_runs} good releases were failed")
    if judged.silent_passes:
        wrong.append(f"{judged.silent_passes} of {judged.silent_runs} releases without traffic passed")
    return wrong


def _next(place: Place) -> str:
    return NEW if place.shape.version == OLD else OLD


def _alarmed(place: Place, version: str, tell: Tell, what: str) -> bool:
    """Whether a gate failed a good release under load."""
    with place.load("good"):
        verdicts, code = _rolled(place, version)
    tell(f"{what}: exit {code}, {', '.join(sorted(verdicts))}")
    if code:
        place.start("unpin", place.environment).done(0, 2)
    return code != 0 or "fail" in verdicts


def _passed(place: Place, version: str, tell: Tell, what: str) -> bool:
    """Whether a gate that needs requests passed without any."""
    verdicts, code = _rolled(place, version)
    tell(f"{what}: exit {code}, {', '.join(sorted(verdicts))}")
    return "pass" in verdicts


def _rolled(place: Place, version: str) -> tuple[set[str], int]:
    """The verdicts of the gates that need requests, and how the rollout ended. Raises Unexpected without any."""
    place.describe(replace(GATED, version=version, soak=LOOKS * INTERVAL))
    ran = place.start("rollout", "start", place.environment, "--yes", "--reason", "good").done(0, ROLLED_BACK)
    if not (found := of_traffic(answers(place))):
        raise Unexpected(f"no gate that needs requests answered: {ran}")
    return {row["verdict"] for row in found}, ran.code
