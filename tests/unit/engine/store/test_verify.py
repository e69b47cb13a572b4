"""The engine's own rules for a state, each broken once."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.engine.store.verify import foreign, verify, whole

ROOT = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:kubernetes::cluster"
APP = "urn:pulumi:dev::shop::kubernetes:apps/v1:Deployment::api"
PART = "urn:pulumi:dev::shop::shop:index:Part::part"
REFERENCE = f"{PROVIDER}::7f3c"


def whole_state() -> dict[str, Any]:
    return {
        "manifest": {"version": "v3.259.0", "magic": hashlib.sha256(b"v3.259.0").hexdigest()},
        "resources": [
            {"urn": ROOT, "custom": False, "type": "pulumi:pulumi:Stack"},
            {"urn": PROVIDER, "custom": True, "id": "7f3c", "type": "pulumi:providers:kubernetes", "parent": ROOT},
            {"urn": PART, "custom": False, "type": "shop:index:Part", "parent": ROOT},
            {
                "urn": APP,
                "custom": True,
                "id": "dev/api",
                "type": "kubernetes:apps/v1:Deployment",
                "parent": PART,
                "provider": REFERENCE,
                "dependencies": [PART],
                "propertyDependencies": {"spec": [PART]},
                "deletedWith": PART,
            },
        ],
    }


def test_whole_state_has_no_problem() -> None:
    assert verify(whole_state()) == []
    assert verify({}) == []
    assert foreign(whole_state(), "shop", "dev") == []


def app(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = state["resources"][3]
    return found


def last_first(state: dict[str, Any]) -> None:
    state["resources"].insert(0, state["resources"].pop())


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], set[str]]] = {
    "magic": (lambda state: state["manifest"].update(magic="0" * 64), {"magic"}),
    "version edited": (lambda state: state["manifest"].update(version="v9"), {"magic"}),
    "no urn": (lambda state: app(state).pop("urn"), {"shape"}),
    "no type": (lambda state: app(state).pop("type"), {"resource"}),
    "component with id": (lambda state: state["resources"][2].update(id="x"), {"resource"}),
    "parent gone": (lambda state: state["resources"].pop(2), {"reference"}),
    "parent later": (last_first, {"order", "provider"}),
    "dependency gone": (lambda state: app(state).update(dependencies=[f"{PART}2"]), {"reference"}),
    "property dependency gone": (
        lambda state: app(state).update(propertyDependencies={"x": [f"{PART}2"]}),
        {"reference"},
    ),
    "deletedWith gone": (lambda state: app(state).update(deletedWith=f"{PART}2"), {"reference"}),
    "replaceWith gone": (lambda state: app(state).update(replaceWith=[f"{PART}2"]), {"reference"}),
    "itself": (lambda state: app(state).update(dependencies=[APP]), {"reference"}),
    "provider gone": (lambda state: app(state).update(provider=f"{PROVIDER}::other"), {"provider"}),
    "provider malformed": (lambda state: app(state).update(provider="kubernetes"), {"provider"}),
    "twice": (lambda state: state["resources"].append(copy.deepcopy(app(state))), {"duplicate"}),
    "resources an object": (lambda state: state.update(resources={"a": 1}), {"shape"}),
    "resource a string": (lambda state: state["resources"].append("x"), {"shape"}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_each_broken_rule_is_told(fault: str) -> None:
    change, kinds = BROKEN[fault]
    state = whole_state()
    change(state)
    problems = verify(state)
    assert {problem.kind for problem in problems} == kinds
    assert not whole(problems)


def test_what_the_engine_allows_is_allowed() -> None:
    state = whole_state()
    state["resources"].append({**app(state), "delete": True})
    app(state).update(pendingReplacement=True, provider=f"{PROVIDER}::gone")
    state["resources"][-1]["provider"] = REFERENCE
    assert verify(state) == []


def test_pending_operations_warn_only() -> None:
    state = whole_state()
    state["pending_operations"] = [{"type": "creating", "resource": app(state)}]
    (problem,) = verify(state)
    assert (problem.kind, problem.fatal) == ("pending", False)
    assert str(problem) == "a run was cut off while creating Deployment api"
    assert whole([problem])


def test_another_stacks_resources_are_told() -> None:
    (problem,) = foreign(whole_state(), "shop", "prod")
    assert str(problem) == "4 resources belong to stack dev of project shop"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
KEYS = ("urn", "type", "id", "custom", "parent", "provider", "dependencies", "propertyDependencies", "delete")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "manifest": ANYTHING,
            "resources": st.lists(st.dictionaries(st.sampled_from(KEYS), ANYTHING), max_size=4) | ANYTHING,
            "pending_operations": st.lists(ANYTHING, max_size=2),
        },
    )
)
def test_never_raises(deployment: dict[str, Any]) -> None:
    verify(deployment)
    foreign(deployment, "shop", "dev")
