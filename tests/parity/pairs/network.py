"""Services, Ingresses, NetworkPolicies and EndpointSlices."""

from __future__ import annotations

from tests.parity.pair import GONE, change
from tests.parity.pairs.shapes import obj, service, wide

_BACKEND = {"service": {"name": "a", "port": {"number": 80}}}
_INGRESS = {
    "ingressClassName": "turnout-nowhere",
    "rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": _BACKEND}]}}],
}
_POLICY = {
    "podSelector": {},
    "policyTypes": ["Ingress"],
    "ingress": [{"from": [{"podSelector": {"matchLabels": {"a": "b"}}}], "ports": [{"port": 80}]}],
}
_SLICE = {
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.254.254.1"]}],
    "ports": [{"name": "http", "port": 80}],
}
_TWO = [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "grpc", "port": 90, "targetPort": 9090}]

PAIRS = [
    change("service-nothing", service("service-nothing")),
    change("service-selector", service("service-selector"), {"spec/selector/track": "a"}),
    change(
        "service-port", service("service-port"), {"spec/ports": [{"name": "web", "port": 81, "targetPort": "http"}]}
    ),
    change("service-target", service("service-target"), {"spec/ports/0/targetPort": 8080}),
    change(
        "service-target-text",
        service("service-target-text", ports=[{"port": 80, "targetPort": 80}]),
        {"spec/ports/0/targetPort": "http"},
    ),
    change("service-ports-reordered", service("service-ports-reordered", ports=_TWO), {"spec/ports": _TWO[::-1]}),
    change("service-port-removed", service("service-port-removed", ports=_TWO), {"spec/ports": _TWO[:1]}),
    change("service-headless", service("service-headless"), {"spec/clusterIP": "None"}),
    change(
        "service-headless-nothing", service("service-headless-nothing", clusterIP="None", publishNotReadyAddresses=True)
    ),
    change("service-type", service("service-type"), {"spec/type": "NodePort"}),
    change(
        "service-empty-ip", service("service-empty-ip", clusterIP="", externalIPs=[]), {"metadata/labels": {"a": "b"}}
    ),
    change("service-selector-gone", service("service-selector-gone"), {"spec/selector": GONE}),
    change(
        "ingress-nothing",
        obj(
            "networking.k8s.io/v1",
            "Ingress",
            "ingress-nothing",
            {"spec": _INGRESS},
            annotations={"pulumi.com/skipAwait": "true"},
        ),
    ),
    change(
        "ingress-host",
        obj(
            "networking.k8s.io/v1",
            "Ingress",
            "ingress-host",
            {"spec": _INGRESS},
            annotations={"pulumi.com/skipAwait": "true"},
        ),
        {"spec/rules/0/host": "b.example.com"},
    ),
    change(
        "ingress-class",
        wide("networking.k8s.io/v1", "IngressClass", "ingress-class", {"spec": {"controller": "example.com/none"}}),
        {"metadata/labels": {"a": "b"}},
    ),
    change("policy-nothing", obj("networking.k8s.io/v1", "NetworkPolicy", "policy-nothing", {"spec": _POLICY})),
    change(
        "policy-port",
        obj("networking.k8s.io/v1", "NetworkPolicy", "policy-port", {"spec": _POLICY}),
        {"spec/ingress/0/ports/0/port": "http"},
    ),
    change(
        "policy-open",
        obj("networking.k8s.io/v1", "NetworkPolicy", "policy-open", {"spec": {**_POLICY, "egress": [{}]}}),
        {"spec/ingress": []},
    ),
    change(
        "slice",
        obj("discovery.k8s.io/v1", "EndpointSlice", "slice", _SLICE),
        {"endpoints/0/addresses/0": "10.254.254.2"},
    ),
]
