"""Which connections a plan opens or closes: NetworkPolicies, Services, routes. Pure.

Policies only ever add: what no policy selects is open, and what one selects is closed but for what all of them let
through (kubernetes.io, "Network Policies"). So a policy that goes may open everything, or close what it had opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from cli.review import addresses
from cli.review.addresses import Network, Ranges
from cli.review.entries import OUTSIDE, ROUTES, served
from cli.review.facts import Fact, listed
from cli.review.objects import Manifest, Objects, key, mapping, rows, text, values
from cli.review.world import Touched, World

_DIRECTIONS: Final = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}
_ANYBODY: Final = "anywhere"
_NAMESPACE: Final = "kubernetes.io/metadata.name"
_DNS: Final = ("53/UDP", "53/TCP")


@dataclass(frozen=True, order=True)
class Opening:
    """`direction` as a policy type; `peer`, `port` as people read them; `wide`: not pods or private addresses alone."""

    direction: str
    peer: str
    port: str
    wide: bool
    pods: Manifest | None = field(default=None, repr=False, compare=False)
    """The peer as the policy names it, where it names pods."""
    ranges: Ranges | None = field(default=None, repr=False, compare=False)
    """Its addresses, where the peer is named by them."""

    @property
    def code(self) -> str:
        if not self.wide:
            return "opens-between"
        return "opens-network" if self.direction == "Ingress" else "reaches-out"


def facts(there: World) -> Iterator[Fact]:
    for one in there.of("NetworkPolicy"):
        yield from _policy(there, one)
    for one in there.of("Service"):
        yield from _service(one)
    for one in there.of(*ROUTES):
        yield from _route(one)


def _policy(there: World, one: Touched) -> Iterator[Fact]:
    yield from _unrestricted(there, one)
    before, after = (set(openings(side)) for side in (one.before, one.after))
    for code in ("opens-network", "reaches-out", "opens-between"):
        opened = [each for each in _beyond(after, before) if each.code == code]
        yield from (one.fact(code, said) for said in _said(opened, "lets"))
    if _is_still_needed(there, one):
        closed = [each for each in _beyond(before, after) if _is_there(there, one, each)]
        yield from (one.fact("closes-network", said) for said in _said(closed, "no longer lets"))


def _beyond(these: set[Opening], those: set[Opening]) -> Iterator[Opening]:
    """What only `these` let through: of a range of addresses the part that none of `those` covers."""
    known: dict[tuple[str, str], list[Network]] = {}
    for each in those:
        known.setdefault((each.direction, each.port), []).extend(each.ranges or ())
    for each in these - those:
        left = addresses.without(each.ranges or (), known.get((each.direction, each.port), ()))
        if each.ranges is None or left == each.ranges:
            yield each
        elif left:
            yield _part(each, each.ranges, left)


def _part(each: Opening, whole: Ranges, left: Ranges) -> Opening:
    """Named by what is left, or by what is not where that is shorter."""
    rest = addresses.without(whole, left)
    short = len(left) <= len(rest)
    peer = listed(map(str, left)) if short else f"{each.peer} but for {listed(map(str, rest))}"
    return replace(each, peer=peer, wide=addresses.is_public(left), ranges=left)


def _said(found: Iterable[Opening], verb: str) -> Iterator[str]:
    """One sentence a direction: peers with the same ports together."""
    for direction in _DIRECTIONS:
        ports: dict[str, list[str]] = {}
        for each in sorted(found):
            if each.direction == direction:
                ports.setdefault(each.peer, []).append(each.port)
        if reached := [f"{peer} on {listed(on)}" for peer, on in ports.items()]:
            peers = "; ".join(reached)
            come_in = f"{verb} in {peers.replace(_ANYBODY, 'everybody')}"
            yield come_in if direction == "Ingress" else f"{verb} its pods reach {peers}"


def openings(policy: Manifest) -> Iterator[Opening]:
    """Everything that it lets through; asking for names (DNS) goes without saying."""
    for direction in directions(policy):
        rules, side = _DIRECTIONS[direction]
        for rule in rows(policy, "spec", rules):
            ports = [_port(row) for row in rows(rule, "ports")] or ["every port"]
            for row in rows(rule, side) or [{}]:
                peer, wide, ranges = _peer(row)
                found = (Opening(direction, peer, port, wide, row, ranges) for port in ports)
                yield from (each for each in found if ranges != () and (wide or each.port not in _DNS))


def directions(policy: Manifest) -> list[str]:
    """What it restricts. Without a word: what comes in, and what goes out where it has rules for that."""
    stated = [name for name in values(policy, "spec", "policyTypes") if name in _DIRECTIONS]
    return stated or ["Ingress", *(["Egress"] if "egress" in mapping(policy, "spec") else [])] if policy else []


def _peer(row: Manifest) -> tuple[str, bool, Ranges | None]:
    """Its name, whether it is wide, and its addresses."""
    if not row:
        return _ANYBODY, True, addresses.EVERYWHERE
    if cidr := text(row, "ipBlock", "cidr"):
        return _block(cidr, values(row, "ipBlock", "except"))
    pods, spaces = row.get("podSelector"), row.get("namespaceSelector")
    named = _labels(pods) or "every pod"
    where = f" of {_labels(spaces) or 'every namespace'}" if spaces is not None else ""
    return named + where, spaces is not None and not _labels(spaces) and not _labels(pods), None


def _block(cidr: str, excepted: list[object]) -> tuple[str, bool, Ranges | None]:
    name = _ANYBODY if _is_all(cidr) else cidr
    but = f" outside {listed(map(str, excepted), most=len(excepted))}" if excepted else ""
    whole = addresses.read([cidr])
    left = addresses.without(whole, addresses.read(excepted)) if whole else None
    return name + but, left is None or addresses.is_public(left), left


def _labels(selector: object) -> str:
    """What a selector asks for, its name alone where it has one; empty: nothing, so that all are meant."""
    asked = mapping(selector, "matchLabels")
    expressions = rows(selector, "matchExpressions")
    found = next((str(value) for name, value in asked.items() if name.endswith(("/name", _NAMESPACE))), "")
    found = found or ", ".join(f"{name}={value}" for name, value in sorted(asked.items()))
    more = [f"{text(row, 'key')} {text(row, 'operator')} {values(row, 'values')}" for row in expressions]
    return ", ".join(filter(None, (found, *more)))


def _is_all(cidr: str) -> bool:
    return cidr in ("0.0.0.0/0", "::/0")


def _port(row: Manifest) -> str:
    port, last = row.get("port"), row.get("endPort")
    if port is None:
        return f"every {text(row, 'protocol') or 'TCP'} port"
    first = int(port) if isinstance(port, float) else port
    until = f"-{int(last)}" if isinstance(last, int | float) else ""
    return f"{first}{until}/{text(row, 'protocol') or 'TCP'}"


def _unrestricted(there: World, one: Touched) -> Iterator[Fact]:
    """Pods that a policy restricted before, and that none restricts any more."""
    for direction in directions(one.before):
        now = "everybody may reach it" if direction == "Ingress" else "it may reach everything"
        for made in there.after.selected(one.before):
            if _is_restricted(there.before, made, direction) and not _is_restricted(there.after, made, direction):
                said = f"is restricted by no policy any more: {now}"
                yield Fact("opens-network", str(key(made)), said, (one.urn,))


def _is_still_needed(there: World, one: Touched) -> bool:
    """Whether pods are still there that the policy spoke for."""
    return bool(one.before) and bool(there.after.selected(one.before))


def _is_there(there: World, one: Touched, opening: Opening) -> bool:
    """Whether the peer is still there to be refused; of what is named otherwise than by its pods nobody can tell."""
    pods, spaces = mapping(opening.pods, "podSelector"), mapping(opening.pods, "namespaceSelector", "matchLabels")
    namespace = str(spaces.get(_NAMESPACE, "")) if spaces else one.key.namespace
    if not pods or not namespace:
        return True
    return bool(there.after.meeting(namespace, pods))


def _is_restricted(objects: Objects, made: Manifest, direction: str) -> bool:
    return any(direction in directions(policy) for policy in objects.policies(made))


def _service(one: Touched) -> Iterator[Fact]:
    before, after = (set(_outside(side)) for side in (one.before, one.after))
    for said in sorted(after - before):
        yield one.fact("exposes", said)
    for cidr in _refused(_sources(one.before), _sources(one.after)):
        yield one.fact("closes-network", f"no longer lets in {_named(cidr)} by its load balancer")


def _refused(before: list[str], after: list[str]) -> Iterator[str]:
    """Ranges that a load balancer let in, and that one which is still there does not."""
    if after and not any(map(_is_all, after)):
        now = addresses.read(after)
        yield from (cidr for cidr in sorted({*before}) if addresses.without(addresses.read([cidr]), now))


def _outside(service: Manifest) -> Iterator[str]:
    """The ways in which it is reached from outside the cluster."""
    kind = text(service, "spec", "type")
    if kind in OUTSIDE:
        yield f"is reached from outside: it is a {kind}"
        for row in rows(service, "spec", "ports"):
            yield f"is reached from outside on port {_port(row)}"
    for address in values(service, "spec", "externalIPs"):
        yield f"is reached from outside at {address}"
    for cidr in _sources(service):
        yield f"lets in {_named(cidr)} by its load balancer"


def _sources(service: Manifest) -> list[str]:
    """The ranges that its load balancer lets in; none: it has none."""
    if text(service, "spec", "type") != "LoadBalancer":
        return []
    return [str(each) for each in values(service, "spec", "loadBalancerSourceRanges")] or ["0.0.0.0/0"]


def _named(cidr: str) -> str:
    return "everybody" if _is_all(cidr) else cidr


def _route(one: Touched) -> Iterator[Fact]:
    before, after = ({str(each) for each in served(side)} for side in (one.before, one.after))
    for said in sorted(after - before):
        yield one.fact("public-route", f"serves {said} to the outside")
    if one.kind == "Ingress":
        for host in sorted(_plain(one.after) - _plain(one.before)):
            yield one.fact("loses-tls", f"serves {host} without TLS")


def _plain(ingress: Manifest) -> set[str]:
    """Hosts without TLS."""
    covered = {host for row in rows(ingress, "spec", "tls") for host in values(row, "hosts")}
    hosts = {text(rule, "host") for rule in rows(ingress, "spec", "rules")} - {""}
    return {host for host in hosts if host not in covered}
