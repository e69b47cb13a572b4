"""A laid-out graph as SVG. Styles are the page's, by class; nothing in it is text that was not escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from cli.report import plain
from cli.report.graphs import Graph, Node

_WIDTH, _HEIGHT = 250, 26
_ACROSS, _DOWN = 330, 36
_EDGE = 12
_LABEL = 32


def svg(graph: Graph, places: Mapping[str, str]) -> str:
    """The drawing. `places`: for a change's URN the id of its element in the page, to which its node links."""
    width = (max((node.column for node in graph.nodes), default=0) + 1) * _ACROSS
    height = (max((node.row for node in graph.nodes), default=0) + 1) * _DOWN + _EDGE
    edges = "".join(_edge(left, right) for left, right in graph.edges)
    nodes = "".join(_node(node, places.get(node.target, "")) for node in graph.nodes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"{edges}{nodes}</svg>"
    )


def _edge(left: Node, right: Node) -> str:
    x1, y1 = _x(left) + _WIDTH, _y(left) + _HEIGHT // 2
    x2, y2 = _x(right), _y(right) + _HEIGHT // 2
    bend = _ACROSS - _WIDTH
    return f'<path d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _node(node: Node, place: str) -> str:
    state = f"is-{node.level.value}" if node.changed else "unchanged"
    label = escape(plain.clipped(node.label, _LABEL))
    drawn = (
        f'<g class="{state}"><title>{escape(node.label)}</title>'
        f'<rect x="{_x(node)}" y="{_y(node)}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>'
        f'<text x="{_x(node) + 8}" y="{_y(node) + 17}">{label}</text></g>'
    )
    return f'<a href="#{place}" aria-label="{escape(node.label)}">{drawn}</a>' if place else drawn


def _x(node: Node) -> int:
    return node.column * _ACROSS + _EDGE


def _y(node: Node) -> int:
    return node.row * _DOWN + _EDGE
