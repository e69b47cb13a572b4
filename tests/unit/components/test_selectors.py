"""Label selectors: what each asks for, and that the indexes find exactly what a look at everything finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.selectors import Labelled, Selecting, asked, matches

NAMES, VALUES = st.sampled_from(["app", "track", "tier"]), st.sampled_from(["a", "b", None])
LABELS = st.dictionaries(NAMES, VALUES)
OPERATORS = st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"])
EXPRESSION = st.fixed_dictionaries({"key": NAMES, "operator": OPERATORS, "values": st.lists(VALUES)})
SELECTOR = st.fixed_dictionaries({}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSION)})


@pytest.mark.parametrize(
    ("operator", "values", "labels", "expected"),
    [
        ("In", ["a", "b"], {"k": "a"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"k": "a"}, False),
        ("NotIn", ["a"], {}, True),
        ("Exists", [], {"k": ""}, True),
        ("Exists", [], {}, False),
        ("DoesNotExist", [], {}, True),
        ("DoesNotExist", [], {"k": ""}, False),
    ],
)
def test_selector_expressions(operator: str, values: list[str], labels: dict[str, str], expected: bool) -> None:
    assert matches({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}, labels) is expected


def test_a_label_of_another_shape_is_met_by_nothing() -> None:
    odd = {"matchLabels": {"app": ["a"]}}
    assert not matches(odd, {"app": "a"}) and Selecting([(odd, 1)]).met_by({"app": "a"}) == []


@given(st.lists(LABELS), SELECTOR)
def test_what_meets_a_selector_is_what_a_look_at_everything_finds(things: list[Any], selector: Any) -> None:
    found = Labelled((labels, at) for at, labels in enumerate(things)).meeting(selector)
    assert found == [at for at, labels in enumerate(things) if matches(selector, labels)]


@given(st.lists(SELECTOR), LABELS)
def test_the_selectors_that_are_met_are_those_that_a_look_at_everything_finds(things: list[Any], labels: Any) -> None:
    found = Selecting((selector, at) for at, selector in enumerate(things)).met_by(labels)
    assert found == [at for at, selector in enumerate(things) if matches(selector, labels)]


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("Service", {"selector": {"app": "a"}}, {"matchLabels": {"app": "a"}}),
        ("Service", {}, None),
        ("Service", {"selector": "[secret]"}, None),
        ("PodDisruptionBudget", {"selector": {"matchLabels": {"app": "a"}}}, {"matchLabels": {"app": "a"}}),
        ("PodDisruptionBudget", {"selector": {}}, {}),
        ("PodDisruptionBudget", {"maxUnavailable": 1}, None),
        ("PodDisruptionBudget", {"selector": {"matchLabels": "[known after the apply]"}}, None),
        ("PodDisruptionBudget", {"selector": {"matchExpressions": "[secret]"}}, None),
        ("NetworkPolicy", {"podSelector": {}}, {}),
        ("Deployment", {"selector": {"matchLabels": {"app": "a"}}}, None),
    ],
)
def test_which_pods_an_object_speaks_of(kind: str, spec: dict[str, Any], expected: Any) -> None:
    """An empty selector of a budget or a policy means every pod of the namespace, a Service without one means none."""
    assert asked({"kind": kind, "spec": spec}) == expected
