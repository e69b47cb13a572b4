"""What depends on what, as far as a plan reaches: the changed resources, what they need, and what needs them. Pure.

The engine's dependencies where there is a graph; always also the names that objects say: what a pod mounts and runs
as, the pods that a Service finds, what an autoscaler counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cli.engine.model import Operation, Plan
from cli.review import objects
from cli.review.objects import RUNS, Key, Manifest, Objects, mapping, rows, template, text

if TYPE_CHECKING:
    from cli.engine.graph import ResourceGraph

Edges = dict[str, tuple[str, ...]]

_GONE = (Operation.DELETE, Operation.RETAIN)


def edges(plan: Plan, graph: ResourceGraph | None = None) -> Edges:
    """URN to the URNs that it needs."""
    known = {one.urn: one.inputs for one in graph or () if one.is_kubernetes}
    known |= {one.urn: one.before if one.operation in _GONE else one.after for one in plan.changes}
    needs: dict[str, set[str]] = {urn: set() for urn in known}
    for one in graph or ():
        found = {*one.dependencies, *(each for urns in one.property_dependencies.values() for each in urns)}
        needs.setdefault(one.urn, set()).update(found)
    for urn, needed in _by_names(known):
        needs[urn].add(needed)
    return _near(needs, {change.urn for change in plan.changes})


def _near(needs: Mapping[str, set[str]], changed: set[str]) -> Edges:
    found = {}
    for urn, needed in needs.items():
        chosen = sorted((needed if urn in changed else needed & changed) - {urn})
        if chosen:
            found[urn] = tuple(chosen)
    return found


def _by_names(known: Mapping[str, Manifest]) -> Iterator[tuple[str, str]]:
    by_key = {objects.key(made): urn for urn, made in known.items() if made}
    there = Objects(known.values())
    for urn, made in known.items():
        for wanted in _named(made):
            if (found := by_key.get(wanted)) is not None:
                yield urn, found
        yield from ((urn, by_key[objects.key(other)]) for other in there.selected(made))


def _named(made: Manifest) -> Iterator[Key]:
    namespace = text(made, "metadata", "namespace")
    if namespace:
        yield Key("", "Namespace", "", namespace)
    if made.get("kind") in RUNS:
        yield from _of_pod(mapping(template(made), "spec"), namespace)
    target = mapping(made, "spec", "scaleTargetRef")
    if target:
        yield Key("apps", text(target, "kind"), namespace, text(target, "name"))
    for row in rows(made, "subjects"):
        if row.get("kind") == "ServiceAccount":
            yield Key("", "ServiceAccount", text(row, "namespace") or namespace, text(row, "name"))
    if role := mapping(made, "roleRef"):
        inside = namespace if role.get("kind") == "Role" else ""
        yield Key("rbac.authorization.k8s.io", text(role, "kind"), inside, text(role, "name"))
    yield from _behind(made, namespace)


def _of_pod(pod: Manifest, namespace: str) -> Iterator[Key]:
    yield Key("", "ServiceAccount", namespace, text(pod, "serviceAccountName"))
    for volume in _volumes(pod):
        yield Key("", "ConfigMap", namespace, text(volume, "configMap", "name"))
        yield Key("", "Secret", namespace, text(volume, "secret", "secretName") or text(volume, "secret", "name"))
        yield Key("", "PersistentVolumeClaim", namespace, text(volume, "persistentVolumeClaim", "claimName"))
    for row in (*rows(pod, "initContainers"), *rows(pod, "containers")):
        for source in rows(row, "envFrom"):
            yield Key("", "ConfigMap", namespace, text(source, "configMapRef", "name"))
            yield Key("", "Secret", namespace, text(source, "secretRef", "name"))
        for variable in rows(row, "env"):
            yield Key("", "ConfigMap", namespace, text(variable, "valueFrom", "configMapKeyRef", "name"))
            yield Key("", "Secret", namespace, text(variable, "valueFrom", "secretKeyRef", "name"))


def _volumes(pod: Manifest) -> Iterator[Manifest]:
    for volume in rows(pod, "volumes"):
        yield volume
        yield from rows(volume, "projected", "sources")


def _behind(made: Manifest, namespace: str) -> Iterator[Key]:
    """The Services that a route leads to."""
    for rule in rows(made, "spec", "rules"):
        for row in rows(rule, "backendRefs"):
            yield Key("", "Service", text(row, "namespace") or namespace, text(row, "name"))
        for path in rows(rule, "http", "paths"):
            yield Key("", "Service", namespace, text(path, "backend", "service", "name"))
