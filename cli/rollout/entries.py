"""The real entries of services: where somebody outside reaches them. Reading the cluster is apart from judging it.

Tried in this order: an HTTPRoute through its gateway, a Service of type LoadBalancer, an Ingress, and in a sandbox,
which is on this machine, the Service's own address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cli.errors import UsageError

if TYPE_CHECKING:
    from cli.kube.client import Kube

Object = dict[str, Any]

GATEWAY_API = "gateway.networking.k8s.io/v1"
HTTP, HTTPS = "http", "https"
PORTS = {HTTP: 80, HTTPS: 443}


@dataclass(frozen=True)
class Entry:
    """One way in: connect to `address`:`port`, and ask for `host` (also the name on the certificate) and `path`."""

    service: str
    scheme: str
    address: str
    port: int
    host: str
    path: str = "/"

    @property
    def url(self) -> str:
        """What a person would type."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{_bracketed(self.host)}{port}{self.path}"

    @property
    def origin(self) -> str:
        """Where the connection really goes."""
        return f"{self.scheme}://{_bracketed(self.address)}:{self.port}"


@dataclass(frozen=True)
class Around:
    """What the cluster has that could let traffic in."""

    services: Sequence[Object]
    routes: Sequence[Object] = ()
    gateways: Sequence[Object] = ()
    ingresses: Sequence[Object] = ()
    sandbox: bool = False


def find(kube: Kube, namespace: str, services: Iterable[str], *, sandbox: bool = False, url: str = "") -> list[Entry]:
    """The entry of each service that has one; `url` is used instead of looking.

    `sandbox`: the cluster's own addresses are reached from this machine. Raises UsageError when none has an entry.
    """
    wanted = sorted(services)
    if url:
        return [named(url, ", ".join(wanted))]
    around = read(kube, namespace, sandbox=sandbox)
    if found := [one for service in wanted if (one := entry(service, around))]:
        return found
    raise UsageError(
        f"the probe finds no way in to {', '.join(wanted)}",
        why="no HTTPRoute with a gateway's address, no load balancer and no Ingress leads there",
        next="name the address that users ask: --probe-url https://…",
    )


def named(url: str, service: str) -> Entry:
    """An entry from the URL that somebody gave. Raises UsageError when it is none."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise UsageError(f"{url} is no address to probe", why="expected http://… or https://…")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or PORTS[parts.scheme]
    return Entry(service, parts.scheme, parts.hostname, port, parts.hostname, path)


def read(kube: Kube, namespace: str, *, sandbox: bool) -> Around:
    """Ask the cluster; kinds that it does not serve count as none."""
    routes = _listed(kube, GATEWAY_API, "HTTPRoute", namespace)
    return Around(
        services=kube.list("v1", "Service", namespace),
        routes=routes,
        gateways=[gateway for route in routes for gateway in _gateways(kube, route)],
        ingresses=kube.list("networking.k8s.io/v1", "Ingress", namespace),
        sandbox=sandbox,
    )


def entry(service: str, around: Around) -> Entry | None:
    """The first way in that there is."""
    ways = (*_by_route(service, around), *_by_balancer(service, around), *_by_ingress(service, around))
    return next(iter(ways), None) or (_inside(service, around) if around.sandbox else None)


def _by_route(service: str, around: Around) -> Iterator[Entry]:
    for route in around.routes:
        if not _leads(route, service):
            continue
        for parent in route["spec"].get("parentRefs", []):
            for gateway in around.gateways:
                if gateway["metadata"]["name"] == parent["name"]:
                    yield from _through(service, route, parent, gateway)


def _leads(route: Object, service: str) -> bool:
    """To the service's entry, or to one of its tracks."""
    names = {service, f"{service}-a", f"{service}-b"}
    rules = route["spec"].get("rules", [])
    return any(backend.get("name") in names for rule in rules for backend in rule.get("backendRefs", []))


def _through(service: str, route: Object, parent: Object, gateway: Object) -> Iterator[Entry]:
    addresses = [row["value"] for row in gateway.get("status", {}).get("addresses", []) if row.get("value")]
    host = next(iter(route["spec"].get("hostnames", [])), "")
    for listener in gateway["spec"]["listeners"]:
        if addresses and _taken(listener, parent):
            scheme = listener["protocol"].lower()
            name = host.replace("*.", "probe.") or addresses[0]
            yield Entry(service, scheme, addresses[0], listener["port"], name, _path(route))


def _taken(listener: Object, parent: Object) -> bool:
    by_name = parent.get("sectionName") in (None, listener["name"])
    by_port = parent.get("port") in (None, listener["port"])
    return by_name and by_port and listener["protocol"].lower() in PORTS


def _path(route: Object) -> str:
    matches = [match for rule in route["spec"].get("rules", []) for match in rule.get("matches", [])]
    return next((match["path"]["value"] for match in matches if match.get("path", {}).get("value")), "/")


def _by_balancer(service: str, around: Around) -> Iterator[Entry]:
    found = _service(service, around)
    for address in _addresses(found or {}):
        port = found["spec"]["ports"][0]["port"] if found else 0
        yield Entry(service, HTTPS if port == PORTS[HTTPS] else HTTP, address, port, address)


def _by_ingress(service: str, around: Around) -> Iterator[Entry]:
    for ingress in around.ingresses:
        secured = {host for row in ingress["spec"].get("tls", []) for host in row.get("hosts", [])}
        for rule in ingress["spec"].get("rules", []):
            for path in rule.get("http", {}).get("paths", []):
                if path["backend"].get("service", {}).get("name") == service:
                    host = rule.get("host", "").replace("*.", "probe.")
                    scheme = HTTPS if rule.get("host") in secured else HTTP
                    for address in _addresses(ingress):
                        yield Entry(service, scheme, address, PORTS[scheme], host or address, path.get("path") or "/")


def _inside(service: str, around: Around) -> Entry | None:
    found = _service(service, around)
    address = found["spec"].get("clusterIP") if found else None
    if found is None or address in (None, "", "None"):
        return None
    return Entry(service, HTTP, address, found["spec"]["ports"][0]["port"], address)


def _service(name: str, around: Around) -> Object | None:
    return next((one for one in around.services if one["metadata"]["name"] == name), None)


def _addresses(found: Object) -> list[str]:
    rows = found.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return [row.get("ip") or row.get("hostname") for row in rows if row.get("ip") or row.get("hostname")]


def _gateways(kube: Kube, route: Object) -> Iterator[Object]:
    for parent in route["spec"].get("parentRefs", []):
        where = parent.get("namespace") or route["metadata"]["namespace"]
        if parent.get("kind", "Gateway") == "Gateway" and (
            found := kube.find(GATEWAY_API, "Gateway", parent["name"], where)
        ):
            yield found


def _listed(kube: Kube, api_version: str, kind: str, namespace: str) -> list[Object]:
    from cli.kube.errors import NotFound, UnknownKind

    try:
        return kube.list(api_version, kind, namespace)
    except (NotFound, UnknownKind):
        return []


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
