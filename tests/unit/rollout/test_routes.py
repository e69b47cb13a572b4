"""When a gateway has taken up what a rollout wrote."""

from __future__ import annotations

from typing import Any

import pytest

from cli.rollout import routes
from cli.rollout.step import Copies, Target
from components.tracks import Letter

Manifest = dict[str, Any]


def condition(kind: str, status: str = "True", seen: int = 3, reason: str = "Accepted") -> Manifest:
    return {"type": kind, "status": status, "observedGeneration": seen, "reason": reason, "message": "why"}


def route(*parents: list[Manifest], name: str = "api", generation: int = 3) -> Manifest:
    answers = [{"parentRef": {"name": "turnout"}, "conditions": entries} for entries in parents]
    return {"metadata": {"name": name, "generation": generation}, "status": {"parents": answers}}


GOOD = [condition("Accepted"), condition("ResolvedRefs")]


def test_a_route_is_taken_when_its_gateway_has_seen_this_very_generation() -> None:
    assert routes.untaken([route(GOOD)], ["api"]) == []
    late = [condition("Accepted", seen=2), condition("ResolvedRefs", seen=3)]
    assert routes.untaken([route(late)], ["api"]) == ["HTTPRoute api: its gateway has not seen it yet"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "HTTPRoute api: is not there"),
        ([route()], "HTTPRoute api: no gateway has answered it"),
        ([route([condition("Accepted"), condition("ResolvedRefs", "False", reason="BackendNotFound")])], None),
        ([route(GOOD, [condition("Accepted", "False", reason="NotAllowedByListeners")])], None),
    ],
)
def test_a_route_that_is_not_in_force_says_why(found: list[Manifest], why: str | None) -> None:
    (said,) = routes.untaken(found, ["api"])
    assert said == why if why else said.endswith(": why")


def test_every_route_that_was_asked_for_is_looked_at_and_no_other() -> None:
    found = [route(GOOD), route([condition("Accepted", "False")], name="other")]
    assert routes.untaken(found, ["api"]) == []
    assert [line.partition(":")[0] for line in routes.untaken(found, ["api", "other", "third"])] == [
        "HTTPRoute other",
        "HTTPRoute third",
    ]


def slice_of(service: str, *ready: bool | None) -> Manifest:
    """None: the controller does not know, which counts as ready."""
    endpoints = [{"conditions": {} if each is None else {"ready": each}} for each in ready]
    return {"metadata": {"name": "s", "labels": {"kubernetes.io/service-name": service}}, "endpoints": endpoints}


def test_a_backend_needs_one_ready_pod_in_any_of_its_slices() -> None:
    slices = [slice_of("api-b", False), slice_of("api-b", False, True), slice_of("web-b", False), slice_of("old", None)]
    assert routes.unbacked(slices, ["api-b", "old"]) == []
    assert routes.unbacked(slices, ["api-b", "web-b", "none"]) == [
        "Service web-b: no pod is ready behind it",
        "Service none: no pod is ready behind it",
    ]


@pytest.mark.parametrize(
    ("weights", "ready", "waited_for"),
    [
        ({"a": 90, "b": 10}, {"api-a", "api-b"}, ["api-a", "api-b"]),
        ({"a": 0, "b": 100}, {"api-a", "api-b"}, ["api-b"]),
        ({"a": 90, "b": 10}, {"web-a"}, ["api-b"]),
    ],
)
def test_whoever_gets_weight_has_endpoints_before_unless_it_is_an_old_track_that_serves_nobody(
    weights: dict[Letter, int], ready: set[str], waited_for: list[str]
) -> None:
    shares: dict[str, Copies] = {"api": weights}
    assert routes.backends([Target("api", "canary", "a")], shares, ready) == waited_for
