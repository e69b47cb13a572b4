"""What the patches of a rollout say."""

from __future__ import annotations

from typing import Any

from cli.rollout.moves import selected, weighed, weights


def route(*backends: dict[str, Any]) -> dict[str, Any]:
    match = {"path": {"type": "PathPrefix", "value": "/"}}
    return {"spec": {"rules": [{"matches": [match], "backendRefs": list(backends)}]}}


def test_a_route_keeps_everything_but_the_weights() -> None:
    before = route({"name": "api-a", "port": 8080, "weight": 100})
    [rule] = weighed(before, "api", {"a": 90, "b": 10})
    assert rule["matches"] == before["spec"]["rules"][0]["matches"]
    assert rule["backendRefs"] == [
        {"name": "api-a", "port": 8080, "weight": 90},
        {"name": "api-b", "port": 8080, "weight": 10},
    ]
    assert weights({"spec": {"rules": [rule]}}, "api") == {"a": 90, "b": 10}


def test_a_track_that_is_not_named_gets_nothing() -> None:
    [rule] = weighed(route({"name": "api-a", "port": 8080}), "api", {"b": 1})
    assert [row["weight"] for row in rule["backendRefs"]] == [0, 1]


def test_a_backend_without_a_weight_has_one() -> None:
    assert weights(route({"name": "api-a", "port": 8080}), "api") == {"a": 1, "b": 0}


def test_an_entry_without_a_track_sends_to_both() -> None:
    assert selected({"spec": {"selector": {"app": "api"}}}) == "both"
    assert selected({"spec": {"selector": {"turnout.dev/track": "b"}}}) == "b"
