"""The judge of previews itself: what it takes for untrue, and what it lets pass."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cli.engine.model import SECRET
from tests.truth import seen, told

URN = "urn:web"
STATE = {URN: {"urn": URN, "type": "kubernetes:apps/v1:Deployment", "id": "shop/web"}}
PLACE = ("Deployment", "shop/web")
BEFORE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "uid": "1", "annotations": {"a.b/c": "old"}},
    "spec": {
        "replicas": 2,
        "paused": False,
        "containers": [
            {
                "name": "web",
                "args": ["run", "--fast"],
                "env": [{"name": "LEVEL", "value": "debug"}],
                "resources": {"requests": {"memory": "1Gi", "cpu": "500m"}},
                "ports": [{"containerPort": 80}, {"containerPort": 81}],
            }
        ],
    },
}


def entry(path: str, after: Any, **more: Any) -> dict[str, Any]:
    return {"path": path, "before": "x", "after": after, "secret": False, "certain": True, "replaces": False, **more}


def untruths(fields: list[dict[str, Any]], live: dict[str, Any]) -> list[str]:
    """Of an update that named those fields, and after which the object is `live`."""
    change = {"urn": URN, "name": "shop/web", "operation": "update", "certain": True, "fields": fields}
    happened = seen.done({PLACE: BEFORE}, {PLACE: live})
    return list(told.untruths([change], happened, STATE, STATE))


def live(*steps: str | int, value: Any) -> dict[str, Any]:
    """The object with one value changed."""
    found = copy.deepcopy(BEFORE)
    place: Any = found
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return found


CONTAINER = ("spec", "containers", 0)
MEMORY = (*CONTAINER, "resources", "requests", "memory")
TRUE = [
    ("spec.replicas", 9, live("spec", "replicas", value=9)),
    ("spec.replicas", 9.0, live("spec", "replicas", value=9)),
    ("spec.paused", True, live("spec", "paused", value=True)),
    ('metadata.annotations["a.b/c"]', "1", live("metadata", "annotations", "a.b/c", value="1")),
    ("spec.containers.web.env.LEVEL.value", "info", live(*CONTAINER, "env", 0, "value", value="info")),
    ("spec.containers.web.args[1]", "--slow", live(*CONTAINER, "args", 1, value="--slow")),
    ("spec.containers.web.resources.requests.memory", "2048Mi", live(*MEMORY, value="2Gi")),
    ("spec.containers.web.resources.requests.memory", "1500m", live(*MEMORY, value="1.5")),
    ("spec.containers.web.ports[1].containerPort", 82, live(*CONTAINER, "ports", 1, "containerPort", value=82)),
    ("spec.replicas", 0, {**BEFORE, "spec": {key: BEFORE["spec"][key] for key in ("paused", "containers")}}),
]
UNTRUE = [
    ("spec.replicas", 9, live("spec", "replicas", value=5)),
    ("spec.replicas", True, live("spec", "replicas", value=1)),
    ("spec.paused", False, live("spec", "paused", value=True)),
    ('metadata.annotations["a.b/c"]', "1", live("metadata", "annotations", "a.b/c", value="2")),
    ("spec.containers.web.env.LEVEL.value", "info", live(*CONTAINER, "env", 0, "value", value="warning")),
    ("spec.containers.web.args[1]", "--slow", live(*CONTAINER, "args", value=["--slow", "run"])),
    ("spec.containers.web.resources.requests.memory", "2Gi", live(*MEMORY, value="2G")),
    ("spec.containers.web.ports[0].containerPort", 82, live(*CONTAINER, "ports", 0, "containerPort", value=83)),
    ("spec.replicas", 3, {**BEFORE, "spec": {key: BEFORE["spec"][key] for key in ("paused", "containers")}}),
]


@pytest.mark.parametrize(("path", "after", "now"), TRUE)
def test_a_value_that_is_there_was_told_truly(path: str, after: Any, now: dict[str, Any]) -> None:
    assert untruths([entry(path, after)], now) == []


@pytest.mark.parametrize(("path", "after", "now"), UNTRUE)
def test_another_value_than_was_told_is_an_untruth(path: str, after: Any, now: dict[str, Any]) -> None:
    found = [line for line in untruths([entry(path, after)], now) if f"not {after!r}" in line]
    assert len(found) == 1
    assert found[0].startswith(f"update Deployment shop/web: {path} is ")


@pytest.mark.parametrize(
    "told",
    [
        entry("spec.replicas", 9, certain=False),
        entry("spec.replicas", SECRET, secret=True),
        entry("spec.replicas", f"x{SECRET}"),
        entry("spec", {"replicas": 9}),
        entry("spec.replicas", None),
        {key: value for key, value in entry("spec.replicas", 9).items() if key != "after"},
    ],
)
def test_what_is_not_said_for_certain_or_not_in_full_is_passed_over(told: dict[str, Any]) -> None:
    assert untruths([told], live("spec", "replicas", value=5)) == []


def test_a_field_that_stays_is_told_of_once() -> None:
    fields = [entry("spec.paused", True), entry("spec.replicas", 9)]
    assert untruths(fields, live("spec", "replicas", value=9)) == [
        "update Deployment shop/web: spec.paused did not change"
    ]


def test_a_field_that_nobody_named_is_an_untruth() -> None:
    now = live("spec", "replicas", value=9)
    assert untruths([entry('metadata.annotations["a.b/c"]', "1")], now) == [
        'update Deployment shop/web: metadata.annotations["a.b/c"] did not change',
        "update Deployment shop/web: nobody had named spec.replicas",
    ]
