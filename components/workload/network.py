"""A workload's Service and its NetworkPolicy: closed both ways but for the stated openings. Pure."""

from __future__ import annotations

from typing import Any, Final, cast

from components.environment import Placement, Stack
from components.manifest import Manifest
from components.names import ENVIRONMENT
from components.workload.naming import manifest, selector
from components.workload.spec import Accepts, ApiServer, Calls, Nodes, Outside, Port, Workloads, WorkloadSpec

_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
_NODE_LOCAL_DNS: Final = "169.254.20.10/32"
_ANYWHERE: Final = "0.0.0.0/0"


def service(spec: WorkloadSpec, placement: Placement) -> Manifest | None:
    """The one name under which the workload is reached; its ports are named, so that they fit every track."""
    served = [port for port in spec.ports if port.served]
    if not served:
        return None
    body: dict[str, Any] = {
        "selector": selector(spec, placement),
        "ports": [_service_port(port) for port in served],
        # Where every node has a copy, the caller's own node answers.
        **({"internalTrafficPolicy": "Local"} if spec.runs == "every-node" else {}),
    }
    made = manifest("v1", "Service", spec, placement, name=spec.name, spec=body)
    made["metadata"]["labels"] = placement.labels(spec.name)
    return made


def route(spec: WorkloadSpec, placement: Placement) -> Manifest | None:
    """The workload's own HTTPRoute. It leads to the Service until a rollout gives its rules weights of tracks."""
    if spec.route is None:
        return None
    [port, *_] = [port for port in spec.ports if port.served]
    given = {"name": spec.route.gateway, "namespace": spec.route.namespace, "sectionName": spec.route.listener}
    parent = {key: value for key, value in given.items() if value}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": spec.route.path}}],
        "backendRefs": [{"name": spec.name, "port": port.served_as or port.number}],
    }
    hostnames = {"hostnames": list(spec.route.hostnames)} if spec.route.hostnames else {}
    body = {"parentRefs": [parent], **hostnames, "rules": [rule]}
    made = manifest("gateway.networking.k8s.io/v1", "HTTPRoute", spec, placement, name=spec.name, spec=body)
    made["metadata"]["labels"] = placement.labels(spec.name)
    return made


def policy(spec: WorkloadSpec, placement: Placement) -> Manifest:
    body = {
        "podSelector": {"matchLabels": selector(spec, placement)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [_incoming(spec, placement, opening) for opening in spec.accepts],
        "egress": [_dns(), *(_outgoing(placement, opening, spec) for opening in spec.calls)] if spec.calls else [],
    }
    kept = {key: value for key, value in body.items() if value != []}
    return manifest("networking.k8s.io/v1", "NetworkPolicy", spec, placement, spec=kept)


def default_deny(namespace: str, labels: dict[str, str]) -> Manifest:
    """Nothing in or out for pods that no other policy of the namespace speaks for."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny", "namespace": namespace, "labels": labels},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }


def _service_port(port: Port) -> dict[str, Any]:
    number = port.served_as or port.number
    return {"name": port.name, "port": number, "targetPort": port.name, "protocol": port.protocol}


def _incoming(spec: WorkloadSpec, placement: Placement, opening: Accepts) -> dict[str, Any]:
    wanted = opening.ports or tuple(port.name for port in spec.ports)
    by_name = {port.name: port for port in spec.ports}
    ports = [_policy_port(by_name[name].number, by_name[name].protocol) for name in wanted]
    return {"from": _peers(placement, opening.source, spec), "ports": ports}


def _outgoing(placement: Placement, opening: Calls, spec: WorkloadSpec) -> dict[str, Any]:
    numbers = opening.ports or (placement.api_ports if isinstance(opening.target, ApiServer) else ())
    rule: dict[str, Any] = {"to": _peers(placement, opening.target, spec)}
    return rule | ({"ports": [_policy_port(number) for number in numbers]} if numbers else {})


def _dns() -> dict[str, Any]:
    return {
        "to": [
            {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: "kube-system"}}},
            {"ipBlock": {"cidr": _NODE_LOCAL_DNS}},
        ],
        "ports": [_policy_port(53, "UDP"), _policy_port(53)],
    }


def _policy_port(number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": number, "protocol": protocol}


def _peers(
    placement: Placement, peer: Workloads | Outside | ApiServer | Nodes, spec: WorkloadSpec
) -> list[dict[str, Any]]:
    if isinstance(peer, Workloads):
        return [_workload_peer(placement, peer)]
    if isinstance(peer, Outside):
        excluded = {"except": list(peer.excluding)} if peer.excluding else {}
        return [{"ipBlock": {"cidr": peer.cidr, **excluded}}]
    if spec.api_token or isinstance(peer, Nodes):
        # Neither nodes nor the API server have labels, and their addresses are the cluster's own affair.
        return [{"ipBlock": {"cidr": _ANYWHERE}}]
    raise ValueError(f"{spec.name} calls the API server but has no api_token to show it")


def _workload_peer(placement: Placement, peer: Workloads) -> dict[str, Any]:
    stack = cast("Stack", peer.stack or placement.stack)
    selected = placement.selector(peer.name) if peer.name else {ENVIRONMENT: placement.environment}
    chosen: dict[str, Any] = {"podSelector": {"matchLabels": selected}}
    if stack == placement.stack:
        return chosen
    namespace = {_NAMESPACE_NAME: placement.namespaces.of_stack(stack)}
    return {"namespaceSelector": {"matchLabels": namespace}, **chosen}
