"""The ways in from outside: what routes serve, and which of them a plan takes away. Pure.

Whole routes and Services that go are told as `deletes-serving`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from cli.review.facts import Fact
from cli.review.objects import Manifest, key, number, rows, text, values
from cli.review.world import Touched, World

ROUTES: Final = ("Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
OUTSIDE: Final = ("LoadBalancer", "NodePort")
"""Types of Services that are reached from outside the cluster."""

_EVERY_HOST: Final = "every host"


class Served(NamedTuple):
    """A host's path. `to`: the Services behind it; `below`: it serves all paths below it, whatever else is asked."""

    host: str
    path: str
    to: frozenset[str]
    below: bool

    def __str__(self) -> str:
        return f"{self.host}{self.path}"

    def covers(self, other: Served) -> bool:
        """Whether callers of the other still find something here: a wider one has to lead where that led."""
        if str(self) == str(other):
            return True
        return bool(self.to) and self.to == other.to and self._has_host(other.host) and self._has_path(other.path)

    def _has_host(self, host: str) -> bool:
        wider = self.host.startswith("*.") and host.endswith(self.host[1:])
        return wider or self.host in (host, _EVERY_HOST)

    def _has_path(self, path: str) -> bool:
        return self.path == path or (self.below and f"{path}/".startswith(f"{self.path.rstrip('/')}/"))


def facts(there: World) -> Iterator[Fact]:
    for one in there.of("Service", *ROUTES):
        if one.before and one.after:
            lost = _unreached(one) if one.kind == "Service" else _unserved(there, one)
            yield from (one.fact("route-gone", said) for said in lost)


def served(route: Manifest) -> Iterator[Served]:
    """Each host with each path that a route takes."""
    hosts = values(route, "spec", "hostnames") or [_EVERY_HOST]
    for rule in rows(route, "spec", "rules"):
        if route.get("kind") == "Ingress":
            yield from _of_ingress(route, rule)
        else:
            to = frozenset(_place(route, row) for row in rows(rule, "backendRefs"))
            for match in rows(rule, "matches") or [{}]:
                path = text(match, "path", "value") or "/"
                below = not match or (set(match) == {"path"} and text(match, "path", "type") in ("PathPrefix", ""))
                yield from (Served(str(host), path, to, below) for host in hosts)


def _of_ingress(route: Manifest, rule: Manifest) -> Iterator[Served]:
    host = text(rule, "host") or _EVERY_HOST
    for row in rows(rule, "http", "paths"):
        service = text(row, "backend", "service", "name")
        to = frozenset([_place(route, {"name": service})] if service else [])
        yield Served(host, text(row, "path") or "/", to, text(row, "pathType") == "Prefix")
    if not rows(rule, "http", "paths"):
        yield Served(host, "/", frozenset(), below=True)


def _place(route: Manifest, backend: Manifest) -> str:
    return f"{text(backend, 'namespace') or key(route).namespace}/{text(backend, 'name')}"


def _unserved(there: World, one: Touched) -> Iterator[str]:
    own = {str(each) for each in served(one.after)}
    lost = {str(each): each for each in served(one.before) if str(each) not in own}
    now = [each for made in there.after if made.get("kind") in ROUTES for each in served(made)] if lost else []
    for said, each in sorted(lost.items()):
        if not any(other.covers(each) for other in now):
            yield f"no longer serves {said} to the outside"


def _unreached(one: Touched) -> Iterator[str]:
    before, after = (text(side, "spec", "type") for side in (one.before, one.after))
    if before in OUTSIDE and after not in OUTSIDE:
        yield f"is no longer reached from outside: it was a {before}"
    elif before == "LoadBalancer" != after:
        yield "is no longer reached from outside by its load balancer"
    else:
        yield from _moved_ports(one)
    for address in sorted(_addresses(one.before) - _addresses(one.after)):
        yield f"is no longer reached from outside at {address}"


def _moved_ports(one: Touched) -> Iterator[str]:
    """Of every node. One that is stated no more stays as it was given."""
    before, after = _node_ports(one.before), _node_ports(one.after)
    for port, stated in before.items():
        if stated not in after.values() and after.get(port):
            yield f"is no longer reached from outside on port {stated} of every node"


def _node_ports(service: Manifest) -> dict[tuple[int, str], int]:
    """What is stated, by the Service's own port."""
    found = rows(service, "spec", "ports")
    stated = {(number(row, "port"), text(row, "protocol") or "TCP"): number(row, "nodePort") for row in found}
    return {port: given for port, given in stated.items() if given}


def _addresses(service: Manifest) -> set[str]:
    return {str(each) for each in values(service, "spec", "externalIPs")}
