"""The track that served before: kept ready for a stated time, then stopped by the next command that holds the lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cli.rollout import cursor, identity, moves, targets
from cli.rollout.control import Manifest, moment, stamp
from cli.rollout.cursor import Cursor
from cli.rollout.live import at_once
from cli.rollout.step import Target
from components.tracks import Letter

if TYPE_CHECKING:
    from cli.kube.client import Kube
    from cli.rollout.lock import Held
    from cli.rollout.site import Site

UNTIL: Final = "turnout.dev/warm-until"
"""Annotation of an idle track's Deployment, by the API server's clock."""


def keep(site: Site, moved: Iterable[Target]) -> None:
    """Each old track stays for its time; one without any is stopped at once."""
    now = moment(identity.server_time(site.kube))

    def one(target: Target) -> None:
        if target.warm:
            until = stamp(now + timedelta(seconds=target.warm))
            moves.note(site.kube, site.environment, target.service, target.old, {UNTIL: until}, **site.held.guarded)
        else:
            moves.scale(site.kube, site.environment, target.service, target.old, 0, **site.held.guarded)

    site.each(one, list(moved))


def cool(kube: Kube, environment: str, held: Held, *, now: bool = False) -> list[str]:
    """Stop the idle tracks whose time is over, or with `now` all of them, and name them. Call it under the lock."""
    at = cursor.read(kube, environment)
    if not at.places:
        return []
    found = targets.deployments(kube, environment)
    clock = moment(identity.server_time(kube))
    due = sorted(over(at, found, clock, all_of_them=now))
    at_once(lambda one: moves.scale(kube, environment, *one, 0, **held.guarded), due)
    return [f"{service}-{letter}" for service, letter in due]


def over(
    at: Cursor, deployments: Iterable[Manifest], now: datetime, *, all_of_them: bool = False
) -> Iterator[tuple[str, Letter]]:
    """The idle tracks that still have copies and need not have them any longer."""
    by_name = {row["metadata"]["name"]: row for row in deployments}
    for service, place in at.places.items():
        idle = by_name.get(f"{service}-{place.other}")
        if idle is None or place.described == place.other or not idle["spec"].get("replicas", 1):
            continue
        until = (idle["metadata"].get("annotations") or {}).get(UNTIL)
        if all_of_them or (until and moment(until) <= now):
            yield service, place.other
