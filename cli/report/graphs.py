"""What depends on what, laid out in layers: what needs nothing else here stands left, what needs it to its right.

Pure. A few resources are drawn one by one; of many, their components are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cli.report import plain
from cli.report.view import EnvironmentView, ResourceView
from cli.review.model import Level

MOST_RESOURCES = 60
_MOST_COMPONENTS = 120
_MOST_EDGES = 600

Needs = dict[str, set[str]]


@dataclass(frozen=True)
class Node:
    """`column` and `row` count from 0. `target`: the URN of the change it stands for; empty for none."""

    key: str
    label: str
    level: Level
    column: int
    row: int
    changed: bool
    target: str = ""


@dataclass(frozen=True)
class Graph:
    """`edges` lead from what is needed to what needs it; those that close a circle are left out."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]
    of_components: bool


def of(one: EnvironmentView) -> Graph:
    """The graph of an environment's changes and of what they need."""
    changed = {resource.urn: resource for component in one.components for resource in component.resources}
    around = set(changed) | {needed for urn in changed for needed in one.edges.get(urn, ())}
    if len(around) <= MOST_RESOURCES:
        needs = {urn: {need for need in one.edges.get(urn, ()) if need in around} - {urn} for urn in sorted(around)}
        return _laid_out(needs, changed, of_components=False)
    return _of_components(one, changed)


def _of_components(one: EnvironmentView, changed: Mapping[str, ResourceView]) -> Graph:
    worst: dict[str, ResourceView] = {}
    for resource in one.worst_first:
        worst.setdefault(resource.component, resource)
    kept = dict(list(worst.items())[:_MOST_COMPONENTS])
    needs: Needs = {component: set() for component in kept}
    for urn, needed in one.edges.items():
        mine = changed[urn].component if urn in changed else ""
        theirs = {changed[need].component for need in needed if need in changed}
        if mine in kept:
            needs[mine] |= {component for component in theirs if component in kept and component != mine}
    return _laid_out(needs, kept, of_components=True)


def _laid_out(needs: Needs, changed: Mapping[str, ResourceView], *, of_components: bool) -> Graph:
    columns = _columns(needs)
    rows: dict[int, int] = defaultdict(int)
    nodes: dict[str, Node] = {}
    for key in sorted(needs, key=lambda found: (columns[found], _middle(needs[found], nodes), found)):
        column = columns[key]
        nodes[key] = _node(key, changed.get(key), column, rows[column], of_components)
        rows[column] += 1
    edges = [(nodes[need], nodes[key]) for key in nodes for need in sorted(needs[key])]
    forward = [(left, right) for left, right in edges if left.column < right.column]
    return Graph(tuple(nodes.values()), tuple(forward[:_MOST_EDGES]), of_components)


def _node(key: str, resource: ResourceView | None, column: int, row: int, of_components: bool) -> Node:
    if resource is None:
        kind, name = (key.split("::")[-2].rsplit(":", 1)[-1], key.rsplit("::", 1)[-1]) if "::" in key else ("", key)
        return Node(key, plain.name(f"{kind} {name}".strip()), Level.NONE, column, row, changed=False)
    label = resource.component if of_components else resource.title
    return Node(key, label, resource.level, column, row, changed=True, target=resource.urn)


def _middle(needed: Iterable[str], placed: Mapping[str, Node]) -> float:
    """The mean row of what a node needs, so that edges cross less."""
    rows = [placed[need].row for need in needed if need in placed]
    return sum(rows) / len(rows) if rows else 0.0


def _columns(needs: Needs) -> dict[str, int]:
    """For each node the longest way to one that needs nothing; what is within a circle counts as if it were not."""
    columns: dict[str, int] = {}
    under_way: set[str] = set()
    for start in needs:
        stack = [start]
        while stack:
            key = stack[-1]
            if key in columns:
                stack.pop()
                continue
            under_way.add(key)
            ahead = [need for need in sorted(needs[key]) if need not in columns and need not in under_way]
            if ahead:
                stack.append(ahead[0])
                continue
            columns[key] = 1 + max((columns[need] for need in needs[key] if need in columns), default=-1)
            under_way.discard(key)
            stack.pop()
    return columns
