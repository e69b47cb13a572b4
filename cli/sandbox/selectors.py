"""Which pods a NetworkPolicy's selectors mean, after the API reference of `networking.k8s.io/v1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.selectors import matches

Object = Mapping[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True, order=True)
class Pod:
    """What policies look at. `ports` are the named ones: (name, protocol, number)."""

    ip: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    ports: tuple[tuple[str, str, int], ...]


def pods(objects: Sequence[Object]) -> list[Pod]:
    """Those with an address of their own, in a stable order. One that is ending counts, one that has ended does not."""
    return sorted(_pod(each) for each in objects if _has_own_address(each))


def _has_own_address(pod: Object) -> bool:
    status = pod.get("status", {})
    ended = status.get("phase") in ("Succeeded", "Failed")
    return bool(status.get("podIP")) and not ended and not pod["spec"].get("hostNetwork")


def _pod(pod: Object) -> Pod:
    metadata, spec = pod["metadata"], pod["spec"]
    containers = [*spec.get("containers", []), *spec.get("initContainers", [])]
    named = {
        (port["name"], port.get("protocol", "TCP"), int(port["containerPort"]))
        for container in containers
        for port in container.get("ports") or []
        if port.get("name")
    }
    labels = tuple(sorted((metadata.get("labels") or {}).items()))
    return Pod(pod["status"]["podIP"], metadata["namespace"], labels, tuple(sorted(named)))


def selected(policy: Object, pod: Pod) -> bool:
    """Whether the policy is about this pod."""
    same = policy["metadata"]["namespace"] == pod.namespace
    return same and matches(policy["spec"].get("podSelector") or {}, dict(pod.labels))


def peers(peer: Object, namespace: str, everything: Sequence[Pod], namespaces: Mapping[str, Labels]) -> list[Pod]:
    """The pods that a peer's podSelector and namespaceSelector mean, in a policy of `namespace`."""
    return [pod for pod in everything if _is_peer(peer, namespace, pod, namespaces)]


def _is_peer(peer: Object, namespace: str, pod: Pod, namespaces: Mapping[str, Labels]) -> bool:
    among = peer.get("namespaceSelector")
    own = pod.namespace == namespace
    fits = own if among is None else matches(among, namespaces.get(pod.namespace, {}))
    return fits and matches(peer.get("podSelector") or {}, dict(pod.labels))
