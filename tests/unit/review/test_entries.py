from __future__ import annotations

import pytest

from cli.engine.model import Change, Effect
from cli.review.judge import judge
from tests.unit.review.builder import Manifest, Told, change, made, plan, replaced, running, service, told

API = running()


def route(*hosts: str, name: str = "api", to: str = "api", **paths: str) -> Manifest:
    """`paths`: further ones, by the Service that they lead to."""
    leads = [(to, "/"), *((service, path) for service, path in paths.items())]
    rules = [{"matches": [{"path": {"value": path}}], "backendRefs": [{"name": name}]} for name, path in leads]
    return made("HTTPRoute", name, {"hostnames": list(hosts), "rules": rules})


def matching(*matches: Manifest) -> Manifest:
    rules = [{"matches": list(matches), "backendRefs": [{"name": "api"}]}]
    return made("HTTPRoute", "api", {"hostnames": ["a.example"], "rules": rules})


def path(value: str, kind: str = "PathPrefix") -> Manifest:
    return {"path": {"type": kind, "value": value}}


def ingress(*served: tuple[str, str], to: str = "api", kind: str = "Prefix") -> Manifest:
    """By host and path."""
    rules = []
    for host, path in served:
        backend = {"service": {"name": to}}
        rules.append({"host": host, "http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}})
    covered = sorted({host for host, _ in served})
    return made("Ingress", "api", {"rules": rules, "tls": [{"hosts": covered}]})


def on_node(port: int | None) -> Manifest:
    stated = {"nodePort": port} if port else {}
    return service(type="NodePort", ports=[{"port": 80, **stated}])


def lost(served: str, kind: str = "HTTPRoute") -> Told:
    return "route-gone", f"{kind} shop/api no longer serves {served} to the outside"


def unreached(said: str) -> Told:
    return "route-gone", f"Service shop/api is no longer reached from outside{said}"


CASES: dict[str, tuple[list[Change], list[Manifest], list[Told]]] = {
    "a host less": ([change(route("a.example", "b.example"), route("a.example"))], [], [lost("b.example/")]),
    "a path less": (
        [change(route("a.example", admin="/admin"), route("a.example"))],
        [],
        [lost("a.example/admin")],
    ),
    "a path less that led where the rest leads": (
        [change(matching(path("/"), path("/admin")), matching(path("/")))],
        [],
        [],
    ),
    "a path less beside one that is meant exactly": (
        [change(matching(path("/a", "Exact"), path("/a/b")), matching(path("/a", "Exact")))],
        [],
        [lost("a.example/a/b")],
    ),
    "a path less beside one of which only a header is served": (
        [change(matching({**path("/a"), "headers": [{}]}, path("/a/b")), matching({**path("/a"), "headers": [{}]}))],
        [],
        [lost("a.example/a/b")],
    ),
    "a path less beside one that only begins alike": (
        [change(matching(path("/a"), path("/ab")), matching(path("/a")))],
        [],
        [lost("a.example/ab")],
    ),
    "a host of another name": (
        [change(route("a.example"), route("b.example"))],
        [],
        [
            lost("a.example/"),
            ("public-route", "HTTPRoute shop/api serves b.example/ to the outside"),
        ],
    ),
    "a host among all hosts": (
        [change(route("a.example"), route())],
        [],
        [("public-route", "HTTPRoute shop/api serves every host/ to the outside")],
    ),
    "a host among those of a domain": (
        [change(route("a.example", "*.example"), route("*.example"))],
        [],
        [],
    ),
    "a host that another route serves now": (
        [
            change(route("a.example", "b.example"), route("a.example")),
            change(route("c.example", name="other"), route("c.example", "b.example", name="other")),
        ],
        [],
        [("public-route", "HTTPRoute shop/other serves b.example/ to the outside")],
    ),
    "a route that leads elsewhere": ([change(route("a.example"), route("a.example", to="other"))], [], []),
    "a host of an Ingress": (
        [change(ingress(("a.example", "/"), ("b.example", "/")), ingress(("a.example", "/")))],
        [],
        [lost("b.example/", "Ingress")],
    ),
    "a path of an Ingress": (
        [change(ingress(("a.example", "/a"), ("a.example", "/b")), ingress(("a.example", "/a")))],
        [],
        [lost("a.example/b", "Ingress")],
    ),
    "a route made anew with a host less": (
        [replaced(route("a.example", "b.example"), route("a.example"))],
        [],
        [
            ("replaces-serving", "HTTPRoute shop/api is deleted before it is made anew"),
            lost("b.example/"),
        ],
    ),
    "a load balancer no more": (
        [change(service(type="LoadBalancer"), service())],
        [API],
        [unreached(": it was a LoadBalancer")],
    ),
    "a port of every node no more": (
        [change(service(type="NodePort"), service(type="ClusterIP"))],
        [API],
        [unreached(": it was a NodePort")],
    ),
    "a port of every node instead of a load balancer": (
        [change(service(type="LoadBalancer"), service(type="NodePort"))],
        [API],
        [
            unreached(" by its load balancer"),
            ("exposes", "Service shop/api is reached from outside: it is a NodePort"),
        ],
    ),
    "another port of every node": (
        [change(on_node(30080), on_node(30081))],
        [API],
        [unreached(" on port 30080 of every node")],
    ),
    "a port of every node that stays as it was given": ([change(on_node(30080), on_node(None))], [API], []),
    "an address of its own no more": (
        [change(service(externalIPs=["192.0.2.1"]), service())],
        [API],
        [unreached(" at 192.0.2.1")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_which_ways_in_are_lost(case: str) -> None:
    changes, beside, expected = CASES[case]
    assert told(*changes, beside=beside) == expected


def test_a_lost_way_in_is_downtime() -> None:
    judged = judge(plan(change(route("a.example", "b.example"), route("a.example"))))
    assert judged.blast.downtime == ("HTTPRoute shop/api no longer serves b.example/ to the outside",)
    assert judged.plan.changes[0].effects == (Effect.DOWNTIME,)
