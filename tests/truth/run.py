"""Goes through the corpus: previews each edit in two modes, applies it, and looks at the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.kube.client import Kube
from cli.rollout import cursor
from components.tracks import FIRST
from tests.truth import seen, told
from tests.truth.edits import Edit
from tests.truth.place import Place
from tests.truth.told import Tally


@dataclass
class Told(Tally):
    """`disagreements`: between the hermetic preview and the live one, by edit."""

    disagreements: dict[str, list[str]] = field(default_factory=dict)


def through(place: Place, edits: Sequence[Edit], kube: Kube, tell: Callable[[str], None]) -> Told:
    """Every edit on top of the ones before it."""
    tally = Told()
    for edit in edits:
        if edit.tracks:
            _give_tracks(place, edit.tracks, kube)
        edit.make(place.folder, place.environment)
        place.commit(edit.name)
        known = len(tally.untruths)
        _one(place, edit, kube, tally)
        tell(f"{place.environment}, {edit.name}: {tally.changes} changes so far")
        for line in [*tally.untruths[known:], *tally.disagreements.get(f"{place.environment}, {edit.name}: ", [])]:
            tell(f"  {line}")
    return tally


def _give_tracks(place: Place, service: str, kube: Kube) -> None:
    """As a rollout leaves it: from then on its copies are not the engine's to change."""
    cursor.change(kube, place.environment, lambda now: now.serving(service, FIRST))
    place.up()


def _one(place: Place, edit: Edit, kube: Kube, tally: Told) -> None:
    where = f"{place.environment}, {edit.name}: "
    hermetic, live = told.said(place.preview("--base", "HEAD~1")), told.said(place.preview())
    if differing := list(told.disagreements(hermetic, live)):
        tally.disagreements[where] = differing
    if edit.nothing and (hermetic or live):
        tally.untruths.append(f"{where}it changes nothing, but {len(hermetic)} and {len(live)} changes were shown")
    tally.changes += len(live)
    tally.certain += sum(change["certain"] for change in live)
    tally.untruths += [f"{where}{one}" for one in _applied(place, live, kube)]


def _applied(place: Place, live: list[dict[str, Any]], kube: Kube) -> Iterator[str]:
    """What an apply did otherwise than it had been said."""
    before = place.state()
    first = seen.read(kube, before.values())
    outcome = told.said(place.up())
    after = place.state()
    happened = seen.done(first, seen.read(kube, [*before.values(), *after.values()]))
    yield from told.untruths(live, happened, before, after)
    if told.outline(outcome) != told.outline(live):
        yield "the engine did other than it had said"
