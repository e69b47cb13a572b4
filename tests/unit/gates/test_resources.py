"""Restarts and limits of containers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.gates import resources
from cli.gates.builtin import Service
from cli.gates.objectives import Rules
from cli.gates.resources import Restarts
from cli.gates.samples import BEGAN, UP, Span
from tests.unit.gates.recording import Recording, series

API = Service("dev", "api").of("b")
SPAN = Span(1000, 1060)
RULES = Rules(50, 5e-5, 20)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Restarts(0, 3), "pass"),
        (Restarts(1, 3), "pass"),  # a node that was short of memory, once
        (Restarts(2, 3), "fail"),
        (Restarts(0, 0), "no data"),
    ],
)
def test_one_restart_is_chance_and_two_within_a_minute_are_not(found: Restarts, verdict: str) -> None:
    assert resources.restarts(API, found, SPAN, 5e-5).verdict == verdict


def test_of_many_pods_some_restart_in_a_day() -> None:
    day = Span(0, 86_400)
    assert resources.restarts(API, Restarts(110, 100), day, 5e-5).verdict == "pass"
    assert resources.restarts(API, Restarts(200, 100), day, 5e-5).verdict == "fail"


def pod(began: float, restarts: int, ended: float | None) -> dict[str, Any]:
    last = {"terminated": {"finishedAt": moment(ended), "reason": "OOMKilled", "exitCode": 137}} if ended else {}
    return {
        "status": {"startTime": moment(began), "containerStatuses": [{"restartCount": restarts, "lastState": last}]}
    }


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_restarts_of_live_pods_are_those_of_the_span() -> None:
    found = resources.of_pods([pod(1005, 3, 1050), pod(10, 7, 1030), pod(10, 7, 900), pod(10, 0, None)], SPAN)
    assert found == Restarts(3 + 1, 4, ("OOMKilled (exit 137)", "OOMKilled (exit 137)"))
    assert "OOMKilled (exit 137)" in resources.restarts(API, found, SPAN, 5e-5).judgement.why


def test_restarts_of_the_past_are_told_by_when_processes_began() -> None:
    times = range(990, 1060, 10)
    rows = [
        series(UP, [(at, 1) for at in times]),
        series(BEGAN, [(at, 900 if at < 1010 else 1005 if at < 1040 else 1032) for at in times]),
    ]
    assert resources.of_samples(Recording(*rows), API, SPAN) == Restarts(2, 1)


def container(share: float, *, cpu: float | None = None) -> list[dict[str, Any]]:
    times = range(1000, 1061, 10)
    rows = [
        series("container_memory_working_set_bytes", [(at, 100 * share) for at in times], container="api"),
        series("container_spec_memory_limit_bytes", [(at, 100) for at in times], container="api"),
    ]
    if cpu is not None:
        rows += [
            series("container_spec_cpu_quota", [(at, 50_000) for at in times], container="api"),
            series("container_spec_cpu_period", [(at, 100_000) for at in times], container="api"),
            series("container_cpu_usage_seconds_total", [(at, (at - 1000) * cpu) for at in times], container="api"),
        ]
    return rows


@pytest.mark.parametrize(
    ("rows", "verdict", "peak"),
    [
        (container(0.5), "pass", 0.5),
        (container(0.95), "fail", 0.95),
        (container(0.5, cpu=0.25), "pass", 0.5),
        (container(0.5, cpu=0.49), "fail", 0.98),
        ([], "no data", None),
    ],
)
def test_a_container_that_stays_close_to_its_limit_is_saturated(
    rows: list[dict[str, Any]], verdict: str, peak: float | None
) -> None:
    found = resources.saturation(Recording(*rows), API, SPAN, RULES)
    assert (found.verdict, found.values.get("peak")) == (verdict, peak)


def test_a_container_without_a_limit_cannot_come_close_to_it() -> None:
    rows = [
        series("container_memory_working_set_bytes", [(1010, 5)]),
        series("container_spec_memory_limit_bytes", [(1010, 0)]),
    ]
    assert resources.saturation(Recording(*rows), API, SPAN, RULES).verdict == "no data"
