"""NetworkPolicies as an nft ruleset: what each selector, peer and port becomes."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from cli.sandbox import netpol
from cli.sandbox.selectors import pods

NODES = ("10.1.255.0/30", "10.1.0.1")
NAMESPACES = [
    {"metadata": {"name": "app", "labels": {"kubernetes.io/metadata.name": "app", "team": "a"}}},
    {"metadata": {"name": "watch", "labels": {"kubernetes.io/metadata.name": "watch"}}},
]


def pod(name: str, ip: str, namespace: str = "app", *, ports: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": {"name": name}},
        "spec": {"containers": [{"name": "main", "ports": ports or []}], **more.get("spec", {})},
        "status": {"podIP": ip, "phase": "Running", **more.get("status", {})},
    }


def policy(name: str = "p", namespace: str = "app", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"podSelector": {}, **spec}}


WEB = pod("web", "10.1.0.10", ports=[{"name": "http", "containerPort": 8080}, {"containerPort": 9000}])
CLIENT = pod("client", "10.1.0.11")
SCRAPER = pod("scraper", "10.1.0.12", "watch")


def render(*policies: dict[str, Any], objects: tuple[Any, ...] = (WEB, CLIENT, SCRAPER)) -> str:
    return netpol.ruleset(netpol.cluster(policies, objects, NAMESPACES), NODES)


def rules(*policies: dict[str, Any], ip: str, direction: str = "ingress", objects: tuple[Any, ...] = ()) -> list[str]:
    """What is allowed to or from one pod."""
    lines = [line.strip() for line in render(*policies, objects=objects or (WEB, CLIENT, SCRAPER)).splitlines()]
    elements = lines[lines.index(f"map {direction} {{") + 2]
    if f"{ip} : " not in elements:
        return ["not isolated"]
    chain = elements.split(f"{ip} : jump ")[1].split()[0].rstrip(",")
    start = lines.index(f"chain {chain} {{") + 1
    body = lines[start : lines.index("}", start)]
    refusing = len(netpol.REFUSE)
    assert body[-refusing:] == [*netpol.REFUSE]
    return body[:-refusing]


def test_without_policies_nobody_is_isolated() -> None:
    assert "jump" not in render()


def test_the_table_is_replaced_in_one_transaction() -> None:
    assert render().splitlines()[:3] == [
        "table ip turnout-policy",
        "delete table ip turnout-policy",
        "table ip turnout-policy {",
    ]


def test_established_connections_the_node_and_a_pod_itself_pass_first() -> None:
    lines = [line.strip() for line in render().splitlines()]
    start = lines.index("chain forward {")
    assert lines[start + 2 : start + 7] == [
        "ct state established,related accept",
        "ip saddr { 10.1.255.0/30, 10.1.0.1 } accept",
        "ip saddr . ip daddr @itself accept",
        "ip saddr vmap @egress",
        "ip daddr vmap @ingress",
    ]
    assert "10.1.0.10 . 10.1.0.10" in render()


def test_default_deny_isolates_every_pod_of_its_namespace_only() -> None:
    deny = policy(policyTypes=["Ingress", "Egress"])
    assert rules(deny, ip="10.1.0.10") == []
    assert rules(deny, ip="10.1.0.11", direction="egress") == []
    assert rules(deny, ip="10.1.0.12") == ["not isolated"]


def test_without_types_a_policy_is_for_ingress_and_for_egress_when_it_has_such_rules() -> None:
    assert rules(policy(), ip="10.1.0.10") == []
    assert "map egress {\n        type ipv4_addr : verdict\n    }" in render(policy())
    assert rules(policy(egress=[{}]), ip="10.1.0.10", direction="egress") == ["return"]


def test_an_empty_rule_allows_everything() -> None:
    assert rules(policy(ingress=[{}]), ip="10.1.0.10") == ["return"]


def test_a_pod_selector_means_the_policys_own_namespace() -> None:
    twin = pod("client", "10.1.0.13", "watch")
    allowed = policy(ingress=[{"from": [{"podSelector": {"matchLabels": {"name": "client"}}}]}])
    assert rules(allowed, ip="10.1.0.10", objects=(WEB, CLIENT, twin)) == ["ip saddr { 10.1.0.11 } return"]


def test_a_namespace_selector_means_all_of_its_pods_or_those_selected() -> None:
    among = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}}
    assert rules(policy(ingress=[{"from": [among]}]), ip="10.1.0.10") == ["ip saddr { 10.1.0.12 } return"]
    nobody = {**among, "podSelector": {"matchLabels": {"name": "client"}}}
    assert rules(policy(ingress=[{"from": [nobody]}]), ip="10.1.0.10") == []


def test_a_named_port_of_an_ingress_rule_is_the_selected_pods_own() -> None:
    allowed = policy(ingress=[{"ports": [{"port": "http"}]}])
    assert rules(allowed, ip="10.1.0.10") == ["tcp dport { 8080 } return"]
    assert rules(allowed, ip="10.1.0.11") == []


def test_a_named_port_of_an_egress_rule_is_each_destinations_own() -> None:
    other = pod("web", "10.1.0.14", ports=[{"name": "http", "containerPort": 80}])
    to_web = policy(egress=[{"to": [{"podSelector": {"matchLabels": {"name": "web"}}}], "ports": [{"port": "http"}]}])
    assert rules(to_web, ip="10.1.0.11", direction="egress", objects=(WEB, other, CLIENT)) == [
        "ip daddr { 10.1.0.14 } tcp dport 80 return",
        "ip daddr { 10.1.0.10 } tcp dport 8080 return",
    ]


def test_protocols_ranges_and_overlaps() -> None:
    ports = [{"port": 80}, {"port": 79, "endPort": 90}, {"port": 53, "protocol": "UDP"}, {"protocol": "SCTP"}]
    assert rules(policy(ingress=[{"ports": ports}]), ip="10.1.0.10") == [
        "tcp dport { 79-90 } return",
        "udp dport { 53 } return",
        "ip protocol sctp return",
    ]


def test_ip_blocks_with_exceptions() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/16", "10.3.0.0/16"]}}
    allowed = policy(egress=[{"to": [block, {"ipBlock": {"cidr": "fd00::/8"}}], "ports": [{"port": 443}]}])
    assert rules(allowed, ip="10.1.0.10", direction="egress") == [
        "ip daddr 10.0.0.0/8 ip daddr != { 10.2.0.0/15 } tcp dport { 443 } return"
    ]


def test_several_policies_add_up() -> None:
    one = policy("one", ingress=[{"ports": [{"port": 80}]}])
    two = policy("two", ingress=[{"ports": [{"port": 81}]}])
    assert rules(two, one, ip="10.1.0.10") == ["tcp dport { 80 } return", "tcp dport { 81 } return"]


def test_pods_on_the_hosts_network_and_ended_ones_do_not_count() -> None:
    host = pod("host", "10.1.255.2", spec={"hostNetwork": True})
    ended = pod("ended", "10.1.0.10", status={"phase": "Succeeded"})
    pending = {**pod("pending", ""), "status": {"phase": "Pending"}}
    ending = pod("ending", "10.1.0.15")
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert [each.ip for each in pods([host, ended, pending, ending])] == ["10.1.0.15"]


def test_the_text_does_not_depend_on_the_order_of_what_is_read() -> None:
    one, two = policy("one"), policy("two", ingress=[{"from": [{"podSelector": {}}]}])
    assert render(one, two) == render(two, one, objects=(SCRAPER, CLIENT, WEB))


@pytest.mark.skipif(shutil.which("nft", path="/usr/sbin:/usr/bin") is None, reason="nft is not installed")
def test_nft_takes_it() -> None:
    ports = [{"port": "http"}, {"port": 53, "protocol": "UDP"}, {"protocol": "SCTP"}, {"port": 1, "endPort": 9}]
    block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}
    peers = [{"podSelector": {}}, block, {"namespaceSelector": {}}]
    busy = policy(
        policyTypes=["Ingress", "Egress"],
        ingress=[{"from": peers, "ports": ports}],
        egress=[{"to": peers, "ports": ports}, {}],
    )
    checked = subprocess.run(
        ["nft", "--check", "-f", "-"],
        input=render(busy),
        text=True,
        capture_output=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin"},
    )
    assert "syntax error" not in checked.stderr and "Error" not in checked.stderr.replace("Operation not permitted", "")
