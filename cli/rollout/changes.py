"""What became otherwise between two looks at a rollout, as lines for a log. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cli.rollout import standing, wording
from cli.rollout.standing import Service, Standing


def told(before: Standing | None, now: Standing) -> Iterator[str]:
    """Nothing where nothing changed. Without a look before, where it stands."""
    yield from _state(before, now)
    yield from _events(before, now)
    yield from _shares(before, now)
    yield from _gates(before, now)


def _state(before: Standing | None, now: Standing) -> Iterator[str]:
    here = _where(now)
    if before is None or _where(before) != here:
        yield here


def _where(found: Standing) -> str:
    rollout = found.rollout
    if rollout is None:
        return f"{found.environment}: no rollout is under way"
    if not rollout.open:
        cause = f": {rollout.cause.splitlines()[0]}" if rollout.cause else ""
        return f"{found.environment}: the rollout is {rollout.status}{cause}"
    step = f", step {rollout.at + 1} of {len(rollout.course)}: {wording.said(rollout.step)}" if rollout.step else ""
    waits = f"; waits for {rollout.waits}" if rollout.waits else ""
    driver = "" if found.driven or rollout.status != "running" else "; nobody drives it"
    return f"{found.environment}: {rollout.status}{step}{waits}{driver}"


def _events(before: Standing | None, now: Standing) -> Iterator[str]:
    """An event is known by its time: many are kept, but not all."""
    known = before.rollout.events if before and before.rollout else ()
    last = known[-1].at if known else ""
    if before is None or now.rollout is None:
        return
    for event in now.rollout.events:
        if event.at > last:
            yield f"  {event.at[11:19]}  {event.text}"


def _shares(before: Standing | None, now: Standing) -> Iterator[str]:
    known = {one.name: _spread(one) for one in before.services} if before else {}
    for one in now.services:
        if (spread := _spread(one)) != known.get(one.name) and len(one.tracks) > 1:
            yield f"  {one.name}: {spread}"


def _spread(one: Service) -> str:
    """`a 90% (9/9), b 10% (1/1)`."""
    return ", ".join(
        f"{track.letter} {track.share:.0%} ({track.workload.ready}/{track.workload.desired})"
        for track in sorted(one.tracks, key=lambda track: track.letter)
    )


def _gates(before: Standing | None, now: Standing) -> Iterator[str]:
    known = _verdicts(before)
    for (service, name), (verdict, why) in _verdicts(now).items():
        if known.get((service, name), ("", ""))[0] != verdict:
            yield f"  gate {service} {name}: {verdict}: {why}"


def _verdicts(found: Standing | None) -> dict[tuple[str, str], tuple[str, str]]:
    if found is None or found.rollout is None or not found.rollout.open:
        return {}
    return {(gate.service, gate.name): (gate.verdict, gate.why) for gate in standing.gates(found.rollout)}
