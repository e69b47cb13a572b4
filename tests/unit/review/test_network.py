from __future__ import annotations

import pytest

from cli.engine.model import Change
from tests.unit.review.builder import Manifest, Told, change, made, pods, replaced, running, service, told

EVERYBODY = {"ipBlock": {"cidr": "0.0.0.0/0"}}
OUTSIDE = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}
TOOLS = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "tools"}}}
PROMETHEUS = {**TOOLS, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
WEB = {"port": 8080, "protocol": "TCP"}
DNS = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}
LABELLED = pods("tools")
LABELLED["metadata"]["labels"]["app.kubernetes.io/name"] = "tools"
THERE = running("Deployment", "tools", template=LABELLED)
API = running()
CLOSED = made("NetworkPolicy", "default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def block(cidr: str, *without: str) -> Manifest:
    return {"ipBlock": {"cidr": cidr, **({"except": list(without)} if without else {})}}


def policy(*incoming: Manifest, outgoing: tuple[Manifest, ...] = (), **spec: object) -> Manifest:
    body = {
        "podSelector": {"matchLabels": {"app": "api"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [peer], "ports": [WEB]} for peer in incoming],
        "egress": [{"to": [peer], "ports": [WEB]} for peer in outgoing],
    }
    return made("NetworkPolicy", "api", {**body, **spec})


def ingress(*hosts: str, tls: tuple[str, ...] = ()) -> Manifest:
    rules = [{"host": host, "http": {"paths": [{"path": "/"}]}} for host in hosts]
    return made("Ingress", "api", {"rules": rules, "tls": [{"hosts": list(tls)}]})


def route(*hosts: str, path: str = "/") -> Manifest:
    return made("HTTPRoute", "api", {"hostnames": list(hosts), "rules": [{"matches": [{"path": {"value": path}}]}]})


def balanced(*ranges: str) -> Manifest:
    return service(type="LoadBalancer", loadBalancerSourceRanges=list(ranges))


SAID = "NetworkPolicy shop/api"

CASES: dict[str, tuple[list[Change], list[Manifest], list[Told]]] = {
    "everybody is let in": (
        [change(policy(TOOLS), policy(TOOLS, EVERYBODY))],
        [API, THERE],
        [("opens-network", f"{SAID} lets in everybody on 8080/TCP")],
    ),
    "a rule without a peer lets in everybody": (
        [change(policy(), policy(ingress=[{}]))],
        [API],
        [("opens-network", f"{SAID} lets in everybody on every port")],
    ),
    "every pod of every namespace is everybody": (
        [change(policy(), policy({"namespaceSelector": {}}))],
        [API],
        [("opens-network", f"{SAID} lets in every pod of every namespace on 8080/TCP")],
    ),
    "pods may reach the outside": (
        [change(policy(), policy(outgoing=(OUTSIDE,)))],
        [API],
        [("reaches-out", f"{SAID} lets its pods reach anywhere outside 10.0.0.0/8 on 8080/TCP")],
    ),
    "pods may reach half of a public range": (
        [change(policy(), policy(outgoing=(block("52.0.0.0/8", "52.128.0.0/9"),)))],
        [API],
        [("reaches-out", f"{SAID} lets its pods reach 52.0.0.0/8 outside 52.128.0.0/9 on 8080/TCP")],
    ),
    "pods may reach one public address": (
        [change(policy(), policy(outgoing=(block("2606:4700::1111/128"), block("1.1.1.1/32"))))],
        [API],
        [
            (
                "reaches-out",
                f"{SAID} lets its pods reach 1.1.1.1/32 on 8080/TCP; 2606:4700::1111/128 on 8080/TCP",
            )
        ],
    ),
    "pods may ask a public address for names": (
        [change(policy(), policy(egress=[{"to": [block("8.8.8.8/32")], "ports": [{"port": 53, "protocol": "UDP"}]}]))],
        [API],
        [("reaches-out", f"{SAID} lets its pods reach 8.8.8.8/32 on 53/UDP")],
    ),
    "a public range is let in": (
        [change(policy(), policy(block("52.0.0.0/9")))],
        [API],
        [("opens-network", f"{SAID} lets in 52.0.0.0/9 on 8080/TCP")],
    ),
    "a range that is private but for its end": (
        [change(policy(), policy(block("10.0.0.0/7")))],
        [API],
        [("opens-network", f"{SAID} lets in 10.0.0.0/7 on 8080/TCP")],
    ),
    "a range without its public part": (
        [change(policy(), policy(block("10.0.0.0/7", "11.0.0.0/8")))],
        [API],
        [("opens-between", f"{SAID} lets in 10.0.0.0/7 outside 11.0.0.0/8 on 8080/TCP")],
    ),
    "what carriers share": (
        [change(policy(), policy(block("100.64.0.0/10")))],
        [API],
        [("opens-between", f"{SAID} lets in 100.64.0.0/10 on 8080/TCP")],
    ),
    "a range without any of it": ([change(policy(), policy(block("8.0.0.0/8", "8.0.0.0/8")))], [API], []),
    "no range at all": (
        [change(policy(), policy(block("internet")))],
        [API],
        [("opens-network", f"{SAID} lets in internet on 8080/TCP")],
    ),
    "less of a range": (
        [change(policy(block("52.0.0.0/8")), policy(block("52.0.0.0/9")))],
        [API],
        [("closes-network", f"{SAID} no longer lets in 52.128.0.0/9 on 8080/TCP")],
    ),
    "more of a range": (
        [change(policy(block("52.0.0.0/8", "52.1.0.0/16", "52.2.0.0/16")), policy(block("52.0.0.0/8", "52.1.0.0/16")))],
        [API],
        [("opens-network", f"{SAID} lets in 52.2.0.0/16 on 8080/TCP")],
    ),
    "a range instead of everybody": (
        [change(policy(EVERYBODY), policy(block("52.0.0.0/8")))],
        [API],
        [("closes-network", f"{SAID} no longer lets in everybody but for 52.0.0.0/8 on 8080/TCP")],
    ),
    "a private range is excepted no more": (
        [change(policy(outgoing=(OUTSIDE,)), policy(outgoing=(EVERYBODY,)))],
        [API],
        [("opens-between", f"{SAID} lets its pods reach 10.0.0.0/8 on 8080/TCP")],
    ),
    "the same ranges in other words": (
        [change(policy(block("52.0.0.0/8")), policy(block("52.0.0.0/9"), block("52.128.0.0/9")))],
        [API],
        [],
    ),
    "everybody in other words": ([change(policy(EVERYBODY), policy(ingress=[{"ports": [WEB]}]))], [API], []),
    "pods may reach a host inside": (
        [change(policy(), policy(outgoing=({"ipBlock": {"cidr": "10.0.0.0/8"}},)))],
        [API],
        [("opens-between", f"{SAID} lets its pods reach 10.0.0.0/8 on 8080/TCP")],
    ),
    "other pods are let in": (
        [change(policy(), policy(TOOLS, PROMETHEUS))],
        [API],
        [("opens-between", f"{SAID} lets in tools on 8080/TCP; tools of monitoring on 8080/TCP")],
    ),
    "asking for names goes without saying": (
        [change(policy(), policy(egress=[{**DNS, "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}]))],
        [API],
        [],
    ),
    "other pods are let in no more": (
        [change(policy(TOOLS), policy())],
        [API, THERE],
        [("closes-network", f"{SAID} no longer lets in tools on 8080/TCP")],
    ),
    "pods that are gone need not be let in": (
        [change(policy(TOOLS), policy()), change(THERE, None)],
        [API],
        [
            ("stops", "Deployment shop/tools is deleted, and what it did is done no more"),
        ],
    ),
    "a policy that goes where all is closed closes": (
        [change(policy(TOOLS), None)],
        [API, THERE, CLOSED],
        [
            ("closes-network", f"{SAID} no longer lets in tools on 8080/TCP"),
        ],
    ),
    "the last policy that goes opens": (
        [change(CLOSED, None)],
        [API],
        [
            ("opens-network", "Deployment shop/api is restricted by no policy any more: everybody may reach it"),
            ("opens-network", "Deployment shop/api is restricted by no policy any more: it may reach everything"),
        ],
    ),
    "a direction that is restricted no more": (
        [change(CLOSED, {**CLOSED, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})],
        [API],
        [("opens-network", "Deployment shop/api is restricted by no policy any more: it may reach everything")],
    ),
    "the same rules in another order": (
        [change(policy(TOOLS, PROMETHEUS), policy(PROMETHEUS, TOOLS))],
        [API, THERE],
        [],
    ),
    "a load balancer": (
        [change(service(), service(type="LoadBalancer"))],
        [API],
        [
            ("exposes", "Service shop/api is reached from outside on port 80/TCP"),
            ("exposes", "Service shop/api is reached from outside: it is a LoadBalancer"),
            ("exposes", "Service shop/api lets in everybody by its load balancer"),
        ],
    ),
    "a load balancer for more": (
        [
            change(
                service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]),
                service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8", "0.0.0.0/0"]),
            )
        ],
        [API],
        [("exposes", "Service shop/api lets in everybody by its load balancer")],
    ),
    "an address of its own": (
        [change(service(), service(externalIPs=["192.0.2.1"]))],
        [API],
        [("exposes", "Service shop/api is reached from outside at 192.0.2.1")],
    ),
    "a load balancer for fewer": (
        [change(balanced("10.0.0.0/8", "192.168.0.0/16"), balanced("10.0.0.0/8"))],
        [API],
        [("closes-network", "Service shop/api no longer lets in 192.168.0.0/16 by its load balancer")],
    ),
    "a load balancer for everybody": (
        [change(balanced("fd00::/8"), balanced())],
        [API],
        [("exposes", "Service shop/api lets in everybody by its load balancer")],
    ),
    "a load balancer for the same in other words": (
        [change(balanced("10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/8"), balanced("10.0.0.0/8"))],
        [API],
        [],
    ),
    "a host": (
        [change(route("a.example"), route("a.example", "b.example"))],
        [],
        [("public-route", "HTTPRoute shop/api serves b.example/ to the outside")],
    ),
    "every host": (
        [change(None, route(path="/admin"))],
        [],
        [("public-route", "HTTPRoute shop/api serves every host/admin to the outside")],
    ),
    "a host without TLS": (
        [change(ingress("a.example", tls=("a.example",)), ingress("a.example"))],
        [],
        [("loses-tls", "Ingress shop/api serves a.example without TLS")],
    ),
    "a host with TLS": (
        [change(ingress(), ingress("a.example", tls=("a.example",)))],
        [],
        [("public-route", "Ingress shop/api serves a.example/ to the outside")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_opened_or_closed(case: str) -> None:
    changes, beside, expected = CASES[case]
    assert told(*changes, beside=beside) == expected


def test_a_policy_of_another_name_is_the_same_policy() -> None:
    moved = {**policy(TOOLS), "metadata": {"name": "other", "namespace": "shop"}}
    assert told(replaced(policy(TOOLS), moved), beside=[API, THERE]) == []
