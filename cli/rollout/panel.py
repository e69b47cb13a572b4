"""The one screen of a rollout: at most `HEIGHT` lines of `WIDTH` columns for three services, as plain lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cli.rollout import course, lease, standing, wording
from cli.rollout.curves import Curve, drawn, figure, top
from cli.rollout.opened import Event, Rollout
from cli.rollout.pins import Pin
from cli.rollout.screen import BAD, BOLD, DIM, GOOD, WARN, Line, pinned, role
from cli.rollout.standing import Gate, Service, Standing, Track

HEIGHT, WIDTH = 24, 100

MEASURED = 2
"""Services whose curves are drawn."""

_BAR = 10
_SERVICES = 6
"""More of them are counted; those that move or ail come first."""
_GATES, _EVENTS, _PINS = 4, 3, 2
_MARKS = {"pass": ("✓", GOOD), "fail": ("✗", BAD)}
_UNSURE = ("?", WARN)
_INDENT = "         "


def lines(found: Standing, now: datetime, *, height: int = HEIGHT, width: int = WIDTH) -> list[Line]:
    """The whole screen. What does not fit gives way in this order: older events, passed gates, pins."""
    head, services = list(_head(found, now)), list(_services(found.services))
    around = [*_around(found, now), (f"next     {found.next}", BOLD)]
    room = height - len(head) - len(services) - len(around)
    told = _told(found.rollout, now, room) if found.rollout else []
    return [(_clipped(text, width), colour) for text, colour in (*head, *services, *told, *around)]


def _head(found: Standing, now: datetime) -> Iterator[Line]:
    environment, rollout = found.environment, found.rollout
    release = found.status.book.current
    serves = f"release {release.number}" if release else "no release"
    if rollout is None:
        yield f"{environment}: {serves}, no rollout is under way", ""
        return
    if not rollout.open:
        yield f"{environment}: {serves}; the last rollout: {rollout.status}, began {_clock(rollout.began)}", ""
        return
    step = f", step {rollout.at + 1} of {len(rollout.course)}" if rollout.course else ""
    colour = GOOD if rollout.status == "running" else WARN
    yield f"{environment}: {serves} → a rollout is {_status(rollout)}{step}, {_age(rollout.began, now)}", colour
    approved = found.approved and f"approved by {found.approved}"
    reason = rollout.reason and f'"{rollout.reason}"'
    notes = (f"by {rollout.starter} on {rollout.host}", rollout.git[:10], reason, approved)
    yield _INDENT + "  ".join(filter(None, notes)), DIM


def _status(rollout: Rollout) -> str:
    return {"running": "under way", "waiting": "waiting"}.get(rollout.status, rollout.status)


def _services(found: Sequence[Service]) -> Iterator[Line]:
    ordered = sorted(found, key=lambda one: (not (one.moves or len(one.tracks) > 1), one.healthy))
    shown = ordered[:_SERVICES]
    width = max((len(one.name) for one in shown), default=0)
    if shown:
        yield f"{'service':<{max(width, 7)}}  {'share':<{_BAR + 5}}  {'ready':>5}  version", DIM
    for one in shown:
        for index, track in enumerate(one.tracks):
            yield from _track(one, track, index, max(width, 7))
    if more := ordered[_SERVICES:]:
        ill = sum(not one.healthy for one in more)
        yield f"and {len(more)} more, {f'{ill} not healthy' if ill else 'all healthy'}", BAD if ill else DIM


def _track(one: Service, track: Track, index: int, width: int) -> Iterator[Line]:
    work = track.workload
    name = (one.name if index == 0 else "").ljust(width)
    share = " " * (_BAR + 5) if one.split == "none" else f"{bar(track.share)} {track.share:>4.0%}"
    text = f"{name}  {share}  {work.ready:>2}/{work.desired:<2}  {_versions(track):<16}  {role(track)}"
    yield text.rstrip(), _colour(track)
    if not work.healthy and (why := _first(work.causes) or work.reason):
        yield f"{' ' * width}  {why}", BAD


def _colour(track: Track) -> str:
    if not track.workload.healthy:
        return BAD
    return {"serves": GOOD, "candidate": WARN, "cold": DIM}.get(track.role, "")


def _versions(track: Track) -> str:
    """`1.2.0`, or while a rolling update goes on `2 on 1.2.0, 1 on 1.3.0`."""
    serving = track.workload.serving
    if len(serving) > 1:
        return ", ".join(f"{count} on {version}" for version, count in serving.items())
    return track.workload.versions[0] if track.workload.versions else "-"


def bar(share: float, width: int = _BAR) -> str:
    """`███░░░░░░░`; what is there at all is seen."""
    full = max(round(share * width), int(share > 0))
    return "█" * full + "░" * (width - full)


def _told(rollout: Rollout, now: datetime, room: int) -> list[Line]:
    """Steps and waits always, then gates (bad ones first), then as many events as fit."""
    must = list(_steps(rollout, now)) if rollout.open else []
    must += [(f"waits    for {rollout.waits}", WARN)] if rollout.open and rollout.waits else []
    must += [(f"cause    {rollout.cause.splitlines()[0]}", BAD)] if rollout.cause else []
    left = max(0, room - len(must))
    gates = _gates(standing.gates(rollout), min(_GATES, left)) if rollout.status != "done" else []
    return [*must, *gates, *_events(rollout.events, min(_EVENTS, left - len(gates)))]


def _steps(rollout: Rollout, now: datetime) -> Iterator[Line]:
    if not rollout.course:
        return
    at, steps = rollout.at, [wording.said(step) for step in rollout.course]
    here = steps[at] if at < len(steps) else "all steps are done"
    done = f"done     {steps[at - 1]}" if 0 < at <= len(steps) else ""
    if done:
        yield done, DIM
    since = f" ({_age(rollout.since, now)})" if rollout.since else ""
    yield f"now      {here}{since}  {track_of_steps(at, len(steps))}", BOLD
    if rounded := _rounding(rollout):
        yield f"{_INDENT}{rounded}", DIM
    if at + 1 < len(steps):
        yield f"then     {', '.join(steps[at + 1 : at + 3])}", DIM


def _rounding(rollout: Rollout) -> str:
    """What whole copies make of the share that was last sent."""
    sent = [step for step in rollout.course[: rollout.at + 1] if step.does == "route"]
    targets = {target.service: target for target in rollout.to}
    return course.rounding(sent[-1], targets) if sent and targets.keys() >= set(sent[-1].services) else ""


def track_of_steps(at: int, count: int, longest: int = 24) -> str:
    """`●●●◉○○○`: where on the way it stands; long ways are drawn to scale."""
    if count > longest:
        at, count = at * longest // count, longest
    return "●" * at + ("◉" + "○" * (count - at - 1) if at < count else "")


def _gates(found: Sequence[Gate], room: int) -> list[Line]:
    order = {"fail": 0, "no data": 1}
    ordered = sorted(found, key=lambda gate: order.get(gate.verdict, 2))
    shown = ordered if len(ordered) <= room else ordered[: max(0, room - 1)]
    rows = [_gate(gate) for gate in shown]
    if (more := len(ordered) - len(shown)) and room:
        rows.append((f"{_INDENT}and {more} more gates, {_counted(ordered[len(shown) :])}", DIM))
    return [(f"{'gates' if not index else '':<9}{text.strip()}", colour) for index, (text, colour) in enumerate(rows)]


def _gate(gate: Gate) -> Line:
    mark, colour = _MARKS.get(gate.verdict, _UNSURE)
    verdict = "" if gate.verdict == "pass" else f"{gate.verdict}: "
    return f"{mark} {gate.service} {gate.name}: {verdict}{gate.why}", colour


def _counted(gates: Iterable[Gate]) -> str:
    verdicts = [gate.verdict for gate in gates]
    return ", ".join(f"{verdicts.count(one)} {one}" for one in dict.fromkeys(verdicts))


def _events(found: Sequence[Event], room: int) -> list[Line]:
    newest = list(found)[-room:][::-1] if room > 0 else []
    return [
        (f"{'events' if not index else '':<9}{_clock(event.at)}  {event.text}", DIM)
        for index, event in enumerate(newest)
    ]


def _around(found: Standing, now: datetime) -> Iterator[Line]:
    status = found.status
    yield from _pins(found.pins)
    if found.frozen:
        yield f"freeze   {found.frozen}", WARN
    if debt := status.book.debt:
        yield f"state    does not know of release {debt.number} yet; the next turnout up settles it", WARN
    if (opened := status.book.open) and not found.under_way:
        yield f"open     a change ({opened.kind}) by {opened.who} since {_clock(opened.at)} has not ended well", BAD
    if owner := status.holder:
        phase = f", now {owner.phase}" if owner.phase else ""
        yield f"lock     {owner.who} on {owner.host} for {lease.age(owner.since, now)}: {owner.command}{phase}", ""
        if owner.abort:
            yield f"{_INDENT}an abort was asked for by {owner.abort}", BAD
    if found.under_way and found.rollout and found.rollout.status == "running" and not found.driven:
        yield f"{_INDENT if status.holder else 'lock     '}the process that drove it is gone", BAD


def _pins(found: Sequence[Pin]) -> Iterator[Line]:
    for index, pin in enumerate(found[-_PINS:][::-1]):
        yield f"{'pins' if not index else '':<9}{pinned(pin)}", WARN
    if (more := len(found) - _PINS) > 0:
        yield f"{_INDENT}and {more} more", DIM


def curves(found: Sequence[Curve], without: str = "") -> Iterator[Line]:
    """Two lines a service: error ratio and p95 latency of its tracks, each pair to one scale."""
    if without:
        yield f"metrics  none: {without}", DIM
    rows = sorted({(one.service, one.measure) for one in found})[: 2 * MEASURED]
    for service, measure in rows:
        pair = sorted((one for one in found if (one.service, one.measure) == (service, measure)), key=_letter)
        yield f"{measure:<9}{service}  {'   '.join(_curve(one, top(pair)) for one in pair)}", ""


def _letter(one: Curve) -> str:
    return one.track


def _curve(one: Curve, highest: float) -> str:
    return f"{one.track} {drawn(one.values, highest)} {figure(one.measure, one.last):<7}"


def _first(causes: Sequence[str]) -> str:
    return causes[0].splitlines()[0] if causes else ""


def _clock(stamp: str) -> str:
    return stamp[11:19] or "-"


def _age(stamp: str, now: datetime) -> str:
    return lease.age(stamp, now)


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
