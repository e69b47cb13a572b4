"""How services with two tracks get back to a release: which track serves it, and what that takes. Pure.

A track that still runs the release gets the traffic at once; otherwise the recorded objects go onto the track that does
not serve, and the traffic follows when it is ready.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.kube.ownership import handover
from cli.rollout import contents, course, moves
from cli.rollout.compare import differences
from cli.rollout.control import OWNER, Manifest
from cli.rollout.cursor import Cursor, Place
from cli.rollout.opened import Rollout
from cli.rollout.plan import Key, key
from cli.rollout.records import Record
from components.tracks import COUNTED, EPOCH, LETTERS, TRACK_LABEL, Letter, in_spec, lettered, other

ENOUGH: Final = 0.5
"""Of the copies that are to serve: with so many ready a bad release does more harm than fewer copies would."""

_TEMPLATE: Final = "spec.template"


@dataclass(frozen=True)
class Turn:
    """One service: `to` serves afterwards, with at least `copies`. `ready` is how many can serve now.

    `same`: that track runs the release already; `flips`: new connections go elsewhere as well now; `other`: there is
    another track, which ends. `weighted`: by its HTTPRoute. `epoch`: of the cursor afterwards.
    """

    service: str
    to: Letter
    epoch: int
    copies: int = 1
    ready: int = 0
    same: bool = True
    flips: bool = False
    other: bool = False
    weighted: bool = False
    bounds: tuple[int, int] | None = None
    moves: bool = True

    @property
    def away(self) -> Letter:
        return other(self.to)

    @property
    def name(self) -> str:
        """The Deployment that serves afterwards."""
        return f"{self.service}-{self.to}"

    @property
    def warm(self) -> bool:
        """Whether it can serve at once."""
        return self.same and self.ready >= max(1, math.ceil(ENOUGH * self.copies))

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "track": self.to,
            "copies": self.copies,
            "ready": self.ready,
            "warm": self.warm,
            "moves_traffic": self.flips,
        }


Turns = Mapping[str, Turn]


def of(
    record: Record,
    at: Cursor,
    rollout: Rollout | None,
    live: Mapping[Key, Manifest],
    only: Collection[str] = (),
) -> dict[str, Turn]:
    """A turn for each service of the record with two tracks. `rollout`: the one that is taken back with it."""
    recorded = {contents.workload(one): one for one in record.objects if one["kind"] == "Deployment"}
    rows = ((service, recorded[service]) for service in sorted(at.places) if service in recorded)
    return {
        service: _turn(manifest, service, at.of(service), rollout, live)
        for service, manifest in rows
        if not only or service in only
    }


def placed(objects: Iterable[Manifest], turns: Turns, live: Mapping[Key, Manifest]) -> Iterator[Manifest]:
    """Recorded objects as they are to be: on the track of their service's turn, with counts as they are now."""
    for manifest in objects:
        turn = turns.get(contents.workload(manifest))
        if turn is None or not contents.label(manifest, TRACK_LABEL):
            yield _uncounted(live.get(key(manifest)), manifest)
            continue
        made = _stamped(lettered(manifest, turn.to), turn)
        yield with_counts_of(live.get(key(made)), made)


def with_counts_of(live: Manifest | None, manifest: Manifest) -> Manifest:
    """The manifest with how many copies there are, or may be, left as it is.

    The rollout owns that, but an apply that leaves out what an earlier one had set would take it away: then the live
    value is said again.
    """
    fields = in_spec(COUNTED.get(manifest["kind"], ()))
    if not fields or live is None:
        return manifest
    spec = {name: value for name, value in manifest["spec"].items() if name not in fields}
    owned = _applied_spec(live)
    said = {name: live["spec"][name] for name in fields if f"f:{name}" in owned and name in live["spec"]}
    return {**manifest, "spec": {**spec, **said}}


def is_idle(manifest: Manifest, turns: Turns) -> bool:
    """Whether it belongs to a track that does not serve afterwards: such a track stays as it is."""
    turn = turns.get(contents.workload(manifest))
    return turn is not None and contents.label(manifest, TRACK_LABEL) == turn.away


def ordered(names: Collection[str], calls: course.Calls) -> list[tuple[str, ...]]:
    """Who goes back together, callers before those that they call."""
    return list(reversed(course.levels(names, calls)))


def settled(now: Cursor, turns: Iterable[Turn]) -> Cursor:
    """The cursor once the traffic is back."""
    for turn in turns:
        if turn.moves:
            now = now.at(turn.service, Place(turn.to, turn.to, turn.epoch, two=True))
    return now


def described(now: Cursor, turns: Iterable[Turn]) -> Cursor:
    """The cursor before anything is written: whoever else writes is stale, and nothing is locked to a template."""
    for turn in turns:
        place = now.of(turn.service)
        if turn.moves:
            now = now.at(turn.service, Place(place.serving, turn.to, turn.epoch, two=True))
    return now


def _uncounted(live: Manifest | None, manifest: Manifest) -> Manifest:
    """A number that the release leaves to an autoscaler stays what it is until that changes it: unset, it would be one.

    None at all is said by nobody: an autoscaler starts nothing.
    """
    if (
        manifest["kind"] != "Deployment"
        or "replicas" in manifest["spec"]
        or not (live and live["spec"].get("replicas"))
    ):
        return manifest
    return with_counts_of(live, manifest)


def _turn(
    recorded: Manifest, service: str, place: Place, rollout: Rollout | None, live: Mapping[Key, Manifest]
) -> Turn:
    target = next((one for one in rollout.to if one.service == service), None) if rollout else None
    old: Letter = target.old if target else place.serving
    namespace = recorded["metadata"]["namespace"]
    tracks = {letter: live.get(("Deployment", namespace, f"{service}-{letter}")) for letter in LETTERS}
    same = {letter: _runs(recorded, found, letter) for letter, found in tracks.items()}
    to = old if target or same[old] or tracks[other(old)] is None else other(old)
    weighted = _weights(service, namespace, live)
    flips = _selected(service, namespace, live) not in ("", to) or (weighted is not None and bool(weighted[other(to)]))
    moved = flips or not same[to] or place != Place(to, to, place.epoch, two=place.two)
    serving = tracks[old]
    return Turn(
        service=service,
        to=to,
        epoch=place.epoch + moved,
        copies=_copies(serving, target.copies if target and not target.bounds else 0),
        ready=_ready(tracks[to]),
        same=same[to],
        flips=flips,
        other=tracks[other(to)] is not None,
        weighted=weighted is not None,
        bounds=_bounds(live.get(("HorizontalPodAutoscaler", namespace, f"{service}-{old}"))) if to != old else None,
        moves=moved,
    )


def _runs(recorded: Manifest, found: Manifest | None, letter: Letter) -> bool:
    """Whether a track runs what was recorded: its template as it is now, whatever its annotations say."""
    if found is None:
        return False
    wanted = lettered(recorded, letter)
    return not any(one.path.startswith(_TEMPLATE) for one in differences(wanted, found))


def _selected(service: str, namespace: str, live: Mapping[Key, Manifest]) -> str:
    """Empty where there is no entry: one that comes back leads where it is to lead from the start."""
    entry = live.get(("Service", namespace, service))
    return moves.selected(entry) if entry else ""


def _weights(service: str, namespace: str, live: Mapping[Key, Manifest]) -> dict[Letter, int] | None:
    route = live.get(("HTTPRoute", namespace, service))
    return moves.weights(route, service) if route else None


def _copies(serving: Manifest | None, before: int) -> int:
    now = int((serving or {}).get("spec", {}).get("replicas", 1))
    return max(now, before, 1)


def _ready(found: Manifest | None) -> int:
    return int(((found or {}).get("status") or {}).get("readyReplicas") or 0)


def _bounds(scaler: Manifest | None) -> tuple[int, int] | None:
    spec = (scaler or {}).get("spec")
    return (int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])) if spec else None


def _stamped(manifest: Manifest, turn: Turn) -> Manifest:
    if manifest["kind"] != "Deployment":
        return manifest
    metadata = manifest["metadata"]
    notes = {**(metadata.get("annotations") or {}), EPOCH: str(turn.epoch)}
    return {**manifest, "metadata": {**metadata, "annotations": notes}}


def _applied_spec(live: Manifest) -> Collection[str]:
    """The fields of `spec` that are under our name once the hand-over is done, as `managedFields` spells them."""
    entries = live["metadata"].get("managedFields") or []
    entries = handover(entries, OWNER) or entries
    ours = (entry for entry in entries if (entry.get("manager"), entry.get("operation")) == (OWNER, "Apply"))
    return {name for entry in ours for name in (entry.get("fieldsV1") or {}).get("f:spec") or {}}
