"""When nothing answers while a plan is applied, or afterwards, and why. Pure.

Counts follow Kubernetes: of a Deployment's share, `maxUnavailable` is rounded down and `maxSurge` up, and where both
come to nothing one pod may go (`ResolveFenceposts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

from cli.review import running
from cli.review.facts import Fact, listed
from cli.review.objects import COUNTED, RUNNING, Manifest, at, key, mapping, rows, template, text
from cli.review.world import Touched, World, is_monitoring

_LEADS_IN = ("Service", "Ingress", "HTTPRoute", "GRPCRoute", "Gateway")
_DEFAULT_SHARE = "25%"


def facts(there: World) -> Iterator[Fact]:
    for one in there.touched:
        if one.replaced and not one.moved and _serves(there, one):
            yield one.fact("replaces-serving", "is deleted before it is made anew")
        elif one.deleted and one.kind in _LEADS_IN:
            yield one.fact("deletes-serving", "goes, and callers find nothing there")
        elif one.moved and one.kind in _LEADS_IN:
            yield Fact("deletes-serving", _old(one), f"becomes {one.key.place}: callers know the old name", (one.urn,))
    for one in running.restarted(there):
        if not one.replaced:
            yield from _gaps(there, one)
    yield from _counts(there)
    yield from _later(there)
    yield from _services(there)


def _serves(there: World, one: Touched) -> bool:
    return one.kind in _LEADS_IN or (one.kind in (*RUNNING, "Pod") and bool(there.before.services(one.before)))


def _old(one: Touched) -> str:
    return str(key(one.before, one.change.name))


def _gaps(there: World, one: Touched) -> Iterator[Fact]:
    services = there.after.services(one.after)
    copies = there.copies_before(one)
    if one.kind == "DaemonSet" or not services or not copies or there.strategy(one):
        return
    if is_monitoring(one.after):
        if copies <= unavailable(one.after, copies):
            yield one.fact("pauses-monitoring", "restarts its only copy, and the monitoring does without it meanwhile")
    elif at(one.after, "spec", "strategy", "type") == "Recreate":
        yield one.fact("all-at-once", f"ends its {copies} pods before the first new one starts")
    elif copies <= unavailable(one.after, copies):
        served = listed(key(service).place for service in services)
        ends = "restarts its only copy" if copies == 1 else f"may restart all its {copies} copies at once"
        yield one.fact("only-copy", f"{ends}: {served} does not answer meanwhile")


def unavailable(made: Manifest, copies: int) -> int:
    """How many of its pods may be missing while they restart."""
    if made.get("kind") == "StatefulSet":
        return max(1, _share(at(made, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable"), copies, up=True))
    if at(made, "spec", "strategy", "type") == "Recreate":
        return copies
    rolling = mapping(made, "spec", "strategy", "rollingUpdate")
    missing = _share(rolling.get("maxUnavailable", _DEFAULT_SHARE), copies, up=False)
    surge = _share(rolling.get("maxSurge", _DEFAULT_SHARE), copies, up=True)
    return missing if missing or surge else 1


def _share(stated: Any, copies: int, *, up: bool) -> int:
    if isinstance(stated, str) and stated.endswith("%") and stated[:-1].isdigit():
        part = int(stated[:-1]) * copies / 100
        return ceil(part) if up else floor(part)
    if isinstance(stated, str) and stated.isdigit():
        return int(stated)
    return int(stated) if isinstance(stated, int | float) else 0


def _counts(there: World) -> Iterator[Fact]:
    for one in there.of(*COUNTED):
        if one.before and one.after and there.copies_before(one) > 0 and there.after.copies(one.after) == 0:
            yield one.fact("scales-to-zero", "keeps no copy")


def _later(there: World) -> Iterator[Fact]:
    """What nobody notices before the next restart."""
    restarted = {one.urn for one in running.restarted(there)}
    for one in there.of("Deployment"):
        if one.urn in restarted or not (one.before and one.after) or not there.after.services(one.after):
            continue
        copies = there.after.copies(one.after)
        if copies and unavailable(one.before, copies) < copies <= unavailable(one.after, copies):
            yield one.fact("loses-rolling", "will have no copy left while it restarts the next time")


def _services(there: World) -> Iterator[Fact]:
    for service, urns in _looked_at(there):
        now = there.after.get(key(service))
        if now is None or not there.before.behind(service):
            continue
        if not there.after.behind(now):
            yield Fact("serves-nothing", str(key(service)), "finds no pods any more", urns)
        else:
            yield from _ports(there, service, now, urns)


def _looked_at(there: World) -> Iterator[tuple[Manifest, tuple[str, ...]]]:
    """Each Service of before that a change may reach: itself, or what is behind it."""
    found: dict[str, tuple[Manifest, list[str]]] = {}
    for one in there.of("Service", "Pod", *RUNNING):
        services = [one.before] if one.kind == "Service" else there.before.services(one.before)
        for service in filter(None, services):
            found.setdefault(str(key(service)), (service, []))[1].append(one.urn)
    return ((service, tuple(urns)) for service, urns in found.values())


def _ports(there: World, before: Manifest, after: Manifest, urns: tuple[str, ...]) -> Iterator[Fact]:
    about = str(key(before))
    stay = {_number(row) for row in rows(after, "spec", "ports")}
    for row in rows(before, "spec", "ports"):
        if _number(row) not in stay:
            yield Fact("port-gone", about, f"no longer listens on port {_number(row)}", urns)
    lacked, lacks = _missing(there.before.behind(before), before), _missing(there.after.behind(after), after)
    for name in sorted(lacks - lacked):
        yield Fact("port-gone", about, f"leads to the port {name}, which no pod behind it has", urns)


def _number(row: Manifest) -> str:
    number = row.get("port")
    return f"{int(number) if isinstance(number, float) else number}/{text(row, 'protocol') or 'TCP'}"


def _missing(behind: list[Manifest], service: Manifest) -> set[str]:
    """The named ports that the Service leads to and that none of its pods has."""
    pods = [mapping(template(made), "spec") for made in behind]
    named = {text(port, "name") for pod in pods for row in rows(pod, "containers") for port in rows(row, "ports")}
    wanted = {text(row, "targetPort") for row in rows(service, "spec", "ports")} - {""}
    return {name for name in wanted if name not in named and not name.isdigit()}
