"""One round after the other: out to the newer version and back, while requests keep coming."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cli.demo.cluster import API, written_by_kubectl
from cli.demo.project import NEW
from cli.rollout import cursor
from tests.soak.rollouts.place import SERVICE, Place, Ran, Shape, Unexpected
from tests.soak.rollouts.rounds import Round

Tell = Callable[[str], None]
Renew = Callable[[], None]
"""Has connections kept alive opened anew: those from before a flip would stay with the release before."""

MEANWHILE = 1.0
"""Seconds for which the new release serves, over connections kept alive too, before it is taken back."""
LOOK = 0.05
APPEARS_WITHIN = 120.0
ABORTED = (4, 5, 6, 8)
"""How `rollout start` may end when another terminal aborts it: anything but success, and no error of the program."""


@dataclass
class Told:
    """What one round came to. Times are seconds of the wall clock. At `until` no pod of the bad release is left."""

    round: Round
    out: Ran
    back: Ran
    again: Ran | None = None
    undo: Ran | None = None
    until: float = 0.0


@dataclass(frozen=True)
class Driven:
    """All rounds, what the load generator counted through them, and how many requests the servers counted."""

    told: list[Told]
    counted: dict[str, Any]
    served: int


def drive(place: Place, rounds: Iterable[Round], tell: Tell, *, kubectl: str = "", at_least: int = 0) -> Driven:
    """Every round under one open-loop load of at least that many requests. `kubectl`: its path, to measure its undo.

    That is done before the service gets a second track: later, what kubectl brings back is too old to be let in.

    Raises Unexpected when a command ends otherwise than it should.
    """
    done = []
    with place.load("load", at_least=at_least) as load:
        for one in rounds:
            told = _round(place, one, kubectl, load.renew)
            done.append(told)
            tell(f"{one}: out {_took(told.out)}, back {_took(told.back)}")
    return Driven(done, load.counted, load.served)


def unprotected(place: Place, tell: Tell) -> dict[str, Any]:
    """The counter-test: a rollout without preStop and drain, which has to lose requests; what was counted."""
    settle(place, Shape(protected=False))
    place.describe(Shape(version=NEW, protected=False))
    with place.load("unprotected") as load:
        ran = place.turnout("rollout", "start", place.environment, "--yes", "--reason", "without protection")
    counted = load.counted
    tell(f"without preStop and drain: {_took(ran)}, {counted['failed']} of {counted['requests']} failed")
    return counted


def settle(place: Place, shape: Shape) -> None:
    """Bring the environment to that shape, without a rollout."""
    place.describe(shape)
    place.turnout("up", place.environment, "--yes")


def _round(place: Place, one: Round, kubectl: str, renew: Renew) -> Told:
    before = place.shape
    place.describe(replace(before, version=NEW, strategy=one.strategy))
    told = _aborted(place, one, renew) if one.back == "abort" else _rolled(place, one, renew)
    place.turnout("unpin", place.environment)
    told.until = _once_drained(place)
    if kubectl and one.strategy == "rolling" and not cursor.read(place.kube, place.environment).of(SERVICE).two:
        told.again, told.undo = _undone(place, kubectl), _undone(place, kubectl)
        _disown(place)
        told.until = time.time()
    place.describe(before)
    changes = place.json("preview", place.environment)["environments"][0]["changes"]
    if changes and told.undo is None:
        raise Unexpected(f"{one}: the settings put back still change something: {json.dumps(changes)}")
    settle(place, replace(before, strategy=one.strategy))
    return told


def _rolled(place: Place, one: Round, renew: Renew) -> Told:
    out = place.turnout("rollout", "start", place.environment, "--yes", "--reason", str(one))
    renew()
    time.sleep(MEANWHILE)
    back = place.turnout("rollback", place.environment, "--yes", "--reason", str(one))
    return Told(one, out, back)


def _aborted(place: Place, one: Round, renew: Renew) -> Told:
    under = place.start("rollout", "start", place.environment, "--yes", "--reason", str(one))
    _until_answered(place, NEW, under.process.poll)
    renew()
    time.sleep(MEANWHILE)
    back = place.turnout("rollout", "abort", place.environment, "--reason", str(one))
    return Told(one, under.done(*ABORTED), back)


def _once_drained(place: Place) -> float:
    """When no pod of the service is ending any more."""
    end = time.monotonic() + APPEARS_WITHIN
    while any(pod["metadata"].get("deletionTimestamp") for pod in place.kube.list("v1", "Pod", place.environment)):
        if time.monotonic() > end:
            raise Unexpected("pods go on ending")
        time.sleep(LOOK)
    return time.time()


def _until_answered(place: Place, version: str, ended: Callable[[], int | None]) -> None:
    """Until a new connection is answered by that version, on a route that is not counted."""
    url = place.service().url("/")
    end = time.monotonic() + APPEARS_WITHIN
    while json.load(urllib.request.urlopen(url, timeout=5))["version"] != version:
        if time.monotonic() > end or ended() is not None:
            raise Unexpected(f"version {version} never answered")
        time.sleep(LOOK)


def _undone(place: Place, kubectl: str) -> Ran:
    """`kubectl rollout undo` until its rollout is done; the second one goes back to where the first one began."""
    began = place.kubectl(kubectl, "rollout", "undo", API)
    ended = place.kubectl(kubectl, "rollout", "status", API)
    return replace(ended, began=began.began)


def _disown(place: Place) -> None:
    """Take kubectl's name off what it wrote, so that it is turnout's again."""
    _, _, name = API.rpartition("/")
    at = ("apps/v1", "Deployment", name, place.environment)
    entries = place.kube.get(*at)["metadata"]["managedFields"]
    patch = [{"op": "remove", "path": f"/metadata/managedFields/{row}"} for row in written_by_kubectl(entries)]
    place.kube.patch(*at, patch, "turnout", how="json")


def _took(ran: Ran) -> str:
    return f"{ran.ended - ran.began:.1f} s"
