"""Where a service is reached from outside, from what the cluster says."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import UsageError
from cli.rollout.entries import Around, Entry, entry, named

SERVICE: dict[str, Any] = {
    "metadata": {"name": "api", "namespace": "prod"},
    "spec": {"clusterIP": "10.0.0.7", "ports": [{"port": 8080}]},
}
ROUTE: dict[str, Any] = {
    "metadata": {"name": "api", "namespace": "prod"},
    "spec": {
        "parentRefs": [{"name": "edge", "namespace": "edge"}],
        "hostnames": ["api.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}],
                "backendRefs": [{"name": "api-a", "weight": 90}, {"name": "api-b", "weight": 10}],
            }
        ],
    },
}
INGRESS = {
    "metadata": {"name": "web"},
    "spec": {
        "tls": [{"hosts": ["api.example.com"]}],
        "rules": [
            {"host": "api.example.com", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "api"}}}]}}
        ],
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.8"}]}},
}


def gateway(*listeners: tuple[str, str, int], addresses: tuple[str, ...] = ("192.0.2.1",)) -> dict[str, Any]:
    rows = [{"name": name, "protocol": protocol, "port": port} for name, protocol, port in listeners]
    status = {"addresses": [{"type": "IPAddress", "value": address} for address in addresses]}
    return {"metadata": {"name": "edge"}, "spec": {"listeners": rows}, "status": status}


def balanced(address: dict[str, str], port: int) -> dict[str, Any]:
    return {
        **SERVICE,
        "spec": {**SERVICE["spec"], "ports": [{"port": port}]},
        "status": {"loadBalancer": {"ingress": [address]}},
    }


def test_a_route_leads_through_its_gateway_under_its_host_name() -> None:
    around = Around([SERVICE], routes=[ROUTE], gateways=[gateway(("http", "HTTP", 8000))], sandbox=True)
    found = entry("api", around)
    assert found == Entry("api", "http", "192.0.2.1", 8000, "api.example.com", "/v1")
    assert (found.url, found.origin) == ("http://api.example.com:8000/v1", "http://192.0.2.1:8000")


def test_a_route_takes_the_listener_that_it_names() -> None:
    listeners = gateway(("tcp", "TCP", 9), ("http", "HTTP", 80), ("secure", "HTTPS", 443))
    spec = {**ROUTE["spec"], "parentRefs": [{"name": "edge", "sectionName": "secure"}]}
    found = entry("api", Around([SERVICE], routes=[{**ROUTE, "spec": spec}], gateways=[listeners]))
    assert found is not None and found.url == "https://api.example.com/v1"


def test_a_route_of_another_service_or_a_gateway_without_address_is_no_way_in() -> None:
    nowhere = gateway(("http", "HTTP", 80), addresses=())
    assert entry("api", Around([SERVICE], routes=[ROUTE], gateways=[nowhere])) is None
    assert entry("tools", Around([SERVICE], routes=[ROUTE], gateways=[gateway(("http", "HTTP", 80))])) is None


@pytest.mark.parametrize(
    ("address", "port", "url"),
    [
        ({"ip": "192.0.2.5"}, 80, "http://192.0.2.5/"),
        ({"hostname": "lb.example.com"}, 443, "https://lb.example.com/"),
        ({"ip": "2001:db8::5"}, 8080, "http://[2001:db8::5]:8080/"),
    ],
)
def test_a_load_balancer(address: dict[str, str], port: int, url: str) -> None:
    found = entry("api", Around([balanced(address, port)], sandbox=True))
    assert found is not None and found.url == url


def test_an_ingress_with_a_certificate_for_its_host() -> None:
    found = entry("api", Around([SERVICE], ingresses=[INGRESS]))
    assert found == Entry("api", "https", "192.0.2.8", 443, "api.example.com", "/")


def test_the_services_own_address_only_in_a_sandbox() -> None:
    found = entry("api", Around([SERVICE], sandbox=True))
    assert found == Entry("api", "http", "10.0.0.7", 8080, "10.0.0.7")
    assert entry("api", Around([SERVICE])) is None


def test_a_named_url() -> None:
    assert named("https://shop.example.com/health?deep=1", "api").path == "/health?deep=1"
    for wrong in ("shop.example.com", "ftp://shop.example.com/"):
        with pytest.raises(UsageError, match="no address to probe"):
            named(wrong, "api")
