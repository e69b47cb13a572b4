"""The page as text; tests/integration/test_page.py uses it in a browser."""

from __future__ import annotations

import re

from cli.engine.model import FieldChange, Operation
from cli.report import graphs, page, view
from cli.review.model import Level, Reason

from .reviews import change, image, review


def test_it_opens_on_the_worst_change_of_all_environments() -> None:
    worst = change("dev/z", component="z")
    reasons = (Reason(Level.HIGH, "x", "why", (worst.urn,)),)
    text = page.document([review(image("api")), review(worst, environment="dev", reasons=reasons)])
    [opened] = re.findall(r"<details[^>]* open><summary>.*?</summary>", text)
    assert "data-worst" in opened
    assert "Deployment dev/z" in opened


def test_what_comes_or_goes_is_there_whole_and_what_changes_is_not() -> None:
    new = change("prod/new", operation=Operation.CREATE, after={"spec": {"replicas": 2.0}})
    old = change("prod/old", operation=Operation.DELETE, before={"spec": {"gone": True}})
    same = change("prod/same", FieldChange("spec.a", 1, 2), before={"spec": {"other": 1}})
    text = page.document([review(new, old, same)])
    assert "&quot;replicas&quot;: 2\n" in text
    assert "&quot;gone&quot;: true" in text
    assert "other" not in text


def test_the_same_page_twice_is_the_same() -> None:
    found = [review(image("api"), edges={"a": ("b",)})]
    assert page.document(found) == page.document(found)


def test_many_long_changes_stay_bounded() -> None:
    long = {f"key{index}": "x" * 2_000 for index in range(10)}
    many = [change(f"prod/s{i}", operation=Operation.CREATE, after=long) for i in range(600)]
    text = page.document([review(*many)])
    assert len(text) < 12_000_000
    assert text.count('<details class="change') == 600
    assert "Too much for this page" in text


def drawn(*edges: tuple[str, str], names: str = "abcd") -> dict[str, tuple[int, bool]]:
    changes = {name: change(name, FieldChange("x", 1, 2)) for name in names}
    needs = {changes[name].urn: tuple(changes[to].urn for one, to in edges if one == name) for name in names}
    [one] = view.of([review(*changes.values(), edges=needs)])
    return {node.label.split()[-1]: (node.column, node.changed) for node in graphs.of(one).nodes}


def test_the_graph_stands_in_layers() -> None:
    found = drawn(("b", "a"), ("c", "b"), ("c", "a"))
    assert {name: column for name, (column, _) in found.items()} == {"a": 0, "d": 0, "b": 1, "c": 2}


def test_a_circle_is_drawn_without_the_edge_that_closes_it() -> None:
    one, other = image("a"), image("b")
    [found] = view.of([review(one, other, edges={one.urn: (other.urn, one.urn), other.urn: (one.urn,)})])
    graph = graphs.of(found)
    assert {node.label for node in graph.nodes} == {"Deployment prod/a", "Deployment prod/b"}
    assert [left.column < right.column for left, right in graph.edges] == [True]


def test_what_changes_need_is_drawn_though_it_does_not_change() -> None:
    one = image("api")
    [found] = view.of([review(one, edges={one.urn: ("urn:pulumi:p::s::kubernetes:core/v1:Secret::prod/key",)})])
    graph = graphs.of(found)
    assert [(node.label, node.changed) for node in graph.nodes] == [
        ("Secret prod/key", False),
        ("Deployment prod/api", True),
    ]
    assert [(left.label, right.label) for left, right in graph.edges] == [("Secret prod/key", "Deployment prod/api")]


def test_a_large_graph_is_of_components() -> None:
    many = [change(f"prod/s{i}", FieldChange("x", i, i + 1), component=f"c{i % 3}") for i in range(100)]
    needs = {many[1].urn: (many[0].urn,), many[2].urn: (many[1].urn, many[5].urn)}
    [one] = view.of([review(*many, edges=needs)])
    graph = graphs.of(one)
    assert graph.of_components
    assert [(node.label, node.column) for node in graph.nodes] == [("c0", 0), ("c1", 1), ("c2", 2)]
