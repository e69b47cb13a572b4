"""Kubernetes objects as plain data, read without trust: any part may be missing, hidden, or of another shape. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from components import selectors
from components.selectors import Labelled, Speakers

Manifest = Mapping[str, Any]

COUNTED = ("Deployment", "StatefulSet", "ReplicaSet")
RUNNING = (*COUNTED, "DaemonSet")
"""What keeps pods running for as long as it is there."""
RUNS = (*RUNNING, "Pod", "Job", "CronJob")
"""What has pods."""


class Key(NamedTuple):
    """Which object is meant. The version of its API does not tell it from another."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.place}"

    @property
    def place(self) -> str:
        """`namespace/name`, or the name alone of what lives in no namespace."""
        return "/".join(filter(None, (self.namespace, self.name)))


def key(made: Manifest, name: str = "") -> Key:
    """`name`: of an object whose name only the apply gives."""
    version, metadata = text(made, "apiVersion"), mapping(made, "metadata")
    group = version.rpartition("/")[0]
    return Key(group, text(made, "kind"), text(metadata, "namespace"), text(metadata, "name") or name)


def at(made: Any, *path: str) -> Any:
    """What lies there, or None."""
    for step in path:
        if not isinstance(made, Mapping):
            return None
        made = made.get(step)
    return made


def mapping(made: Any, *path: str) -> Mapping[str, Any]:
    found = at(made, *path)
    return found if isinstance(found, Mapping) else {}


def rows(made: Any, *path: str) -> list[Mapping[str, Any]]:
    """The mappings in a list."""
    return [row for row in values(made, *path) if isinstance(row, Mapping)]


def values(made: Any, *path: str) -> list[Any]:
    found = at(made, *path)
    return list(found) if isinstance(found, list | tuple) else []


def text(made: Any, *path: str) -> str:
    found = at(made, *path)
    return found if isinstance(found, str) else ""


def number(made: Any, *path: str, default: int = 0) -> int:
    """A whole number; engines hand them over as floats, and hidden ones as text."""
    found = at(made, *path)
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else default


def template(made: Manifest) -> Mapping[str, Any]:
    """The pod template, of whatever makes pods; a Pod is its own."""
    if made.get("kind") == "Pod":
        return made
    spec = mapping(made, "spec", "jobTemplate", "spec") if made.get("kind") == "CronJob" else mapping(made, "spec")
    return mapping(spec, "template")


def containers(made: Manifest) -> list[Mapping[str, Any]]:
    """Its pods' containers, those that only run at the start included."""
    pod = mapping(template(made), "spec")
    return [*rows(pod, "initContainers"), *rows(pod, "containers")]


class Objects:
    """Everything that is declared at one moment, and what in it belongs together."""

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self._by_key = {key(made): made for made in objects}

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self._by_key.values())

    def __contains__(self, wanted: Key) -> bool:
        return wanted in self._by_key

    def get(self, wanted: Key) -> Manifest | None:
        return self._by_key.get(wanted)

    @cached_property
    def _of_kind(self) -> dict[tuple[str, str], list[Manifest]]:
        found: dict[tuple[str, str], list[Manifest]] = {}
        for wanted, made in self._by_key.items():
            found.setdefault((wanted.kind, wanted.namespace), []).append(made)
        return found

    def of(self, kind: str, namespace: str) -> list[Manifest]:
        return self._of_kind.get((kind, namespace), [])

    def within(self, namespace: str) -> list[Manifest]:
        """All that lives in a namespace."""
        return [made for (_, there), found in self._of_kind.items() if there == namespace for made in found]

    @cached_property
    def _scalers(self) -> dict[tuple[str, str, str], Manifest]:
        found: dict[tuple[str, str, str], Manifest] = {}
        for wanted, made in self._by_key.items():
            if wanted.kind == "HorizontalPodAutoscaler":
                target = mapping(made, "spec", "scaleTargetRef")
                found[wanted.namespace, text(target, "kind"), text(target, "name")] = made
        return found

    def scaler(self, made: Manifest) -> Manifest | None:
        """The autoscaler that counts its copies."""
        wanted = key(made)
        return self._scalers.get((wanted.namespace, wanted.kind, wanted.name))

    def copies(self, made: Manifest) -> int:
        """The pods that it keeps at least; 0 for a DaemonSet, whose nodes nobody here can count."""
        if made.get("kind") == "Pod":
            return 1
        if made.get("kind") not in COUNTED:
            return 0
        if scaler := self.scaler(made):
            return number(scaler, "spec", "minReplicas", default=1)
        return number(made, "spec", "replicas", default=1)

    def services(self, made: Manifest) -> list[Manifest]:
        """The Services that send its pods traffic."""
        return self._speaking(made, "Service")

    def policies(self, made: Manifest) -> list[Manifest]:
        """The NetworkPolicies that restrict its pods."""
        return self._speaking(made, "NetworkPolicy")

    def budgets(self, made: Manifest) -> list[Manifest]:
        """The disruption budgets of its pods."""
        return self._speaking(made, "PodDisruptionBudget")

    def selected(self, made: Manifest) -> list[Manifest]:
        """What runs the pods that a Service, a policy or a budget speaks of."""
        selector = selectors.asked(made)
        return [] if selector is None else self.meeting(key(made).namespace, selector)

    def behind(self, service: Manifest) -> list[Manifest]:
        """What keeps the pods running that a Service sends traffic to."""
        return [made for made in self.selected(service) if made.get("kind") in (*RUNNING, "Pod")]

    def meeting(self, namespace: str, selector: Manifest) -> list[Manifest]:
        """What runs pods there that meet a selector."""
        there = self._pods.get(namespace)
        return there.meeting(selector) if there else []

    def _speaking(self, made: Manifest, kind: str) -> list[Manifest]:
        return self._speakers.of(kind, key(made).namespace, mapping(template(made), "metadata", "labels"))

    @cached_property
    def _pods(self) -> dict[str, Labelled[Manifest]]:
        found: dict[str, list[tuple[Manifest, Manifest]]] = {}
        for wanted, made in self._by_key.items():
            if wanted.kind in RUNS:
                labels = mapping(template(made), "metadata", "labels")
                found.setdefault(wanted.namespace, []).append((labels, made))
        return {namespace: Labelled(there) for namespace, there in found.items()}

    @cached_property
    def _speakers(self) -> Speakers[Manifest]:
        return Speakers((made, made) for made in self)
