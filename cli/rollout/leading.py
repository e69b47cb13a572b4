"""What leads to a release's services, as a rollback wants it: Services and HTTPRoutes. Pure.

One that is gone comes back, and leads to the track that serves afterwards. Of one that is there all comes back but
where it sends traffic: that moves by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cli.rollout import contents
from cli.rollout.control import Manifest
from cli.rollout.cursor import Cursor
from cli.rollout.plan import Action, Key, key, title
from cli.rollout.records import ENTRIES_SINCE, Record
from cli.rollout.turns import Turns
from components.tracks import ROUTED, in_spec, leading


def leads(action: Action) -> bool:
    """Whether it is about a Service or an HTTPRoute."""
    return action.manifest["kind"] in ROUTED


def placed(entries: Iterable[Manifest], turns: Turns, at: Cursor, live: Mapping[Key, Manifest]) -> Iterator[Manifest]:
    """Recorded entries as they are to be; a service with two tracks has more of them than its record."""
    for manifest in entries:
        turn = turns.get(contents.workload(manifest))
        two_tracks = turn is not None and manifest["kind"] == "Service"
        made = leading(manifest, turn.to, two=at.of(turn.service).two) if turn and two_tracks else [manifest]
        yield from (as_led(live.get(key(one)), one) for one in made)


def as_led(live: Manifest | None, manifest: Manifest) -> Manifest:
    """The manifest with its traffic sent where it is sent now."""
    if live is None:
        return manifest
    fields = in_spec(ROUTED.get(manifest["kind"], ()))
    sent = {name: live["spec"][name] for name in fields if name in live["spec"]}
    return {**manifest, "spec": {**manifest["spec"], **sent}} if sent else manifest


def unknown(record: Record, turns: Turns, live: Mapping[Key, Manifest]) -> Iterator[str]:
    """The Services that are gone though somebody calls them or they have tracks; none where the record holds them."""
    if record.schema >= ENTRIES_SINCE:
        return
    reached = {name for workload in record.workloads for name in workload.calls} | set(turns)
    for workload in record.workloads:
        place = ("Service", workload.namespace, workload.name)
        if workload.name in reached and place not in live:
            yield title(place)
