"""How much of what gates answered one ConfigMap keeps: all of it for a few services, what matters for hundreds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.gates import builtin, resources
from cli.gates.answers import Answer
from cli.gates.builtin import Service
from cli.gates.judge import Counts, Judgement, absolute
from cli.gates.resources import Restarts
from cli.gates.samples import Span
from cli.rollout import answered, opened, standing
from cli.rollout.course import course
from cli.rollout.opened import Event, Rollout
from cli.rollout.step import Target
from components.prometheus.settings import PrometheusSettings

SLOS = PrometheusSettings.model_fields["slos"].default
SPAN = Span(0.0, 300.0)
LIMIT = 900 * 1024
"""Bytes of a ConfigMap's data, which may be 1 MiB."""
DOWN = (
    "services of prod cannot be asked: the server is currently unable to handle the request (get services prometheus)"
)

Judge = Callable[[Judgement], Judgement]


def as_it_is(judgement: Judgement) -> Judgement:
    return judgement


def with_errors(judgement: Judgement) -> Judgement:
    return Judgement("fail", judgement.why, judgement.counts, 1.234e-17)


def without_prometheus(judgement: Judgement) -> Judgement:
    return Judgement("no data", DOWN, Counts(), judgement.chance)


PROMISED = {slo.name: absolute(Counts(12, 81234), slo.budget) for slo in SLOS}
USED = absolute(Counts(0, 300), resources.SELDOM)


def answers(names: list[str], judge: Judge = as_it_is) -> list[Answer]:
    """Every gate that services have by themselves."""
    return [answer for name in names for answer in _of(Service("prod", name).of("b"), judge)]


def _of(service: Service, judge: Judge) -> list[Answer]:
    found = [
        Answer(service.name, gate.name, PROMISED[gate.name], gate.query(300), _values(gate.limit))
        for gate in builtin.gates(service, SLOS)
    ]
    found.append(resources.restarts(service, Restarts(0, 10), SPAN, 1e-6))
    found.append(Answer(service.name, "saturation", USED, str(resources.usage(service)), {"peak": 0.412}))
    return [Answer(one.service, one.gate, judge(one.judgement), one.query, one.values) for one in found]


def _values(limit: float) -> dict[str, float]:
    return {"share": 0.000148, "limit": limit, "events": 81234, "seconds": 300}


def rollout(names: list[str]) -> Rollout:
    """One that has done all but its last steps, and has had much to say."""
    moved = [
        Target(name, "canary", "a", True, "0123456789ab", 10, 10, (), (10, 25, 50), 300.0, 3600.0, False, "/ready")
        for name in names
    ]
    steps = course(moved, {name: [names[at - 1]] if at % 3 else [] for at, name in enumerate(names)}, approval=True)
    events = tuple(Event("2026-01-01T11:57:00.000000Z", "no data: " + DOWN * 3) for _ in range(opened.EVENTS))
    return Rollout("20260101-115700-c0de", to=tuple(moved), course=steps, events=events)


def size(found: Rollout) -> int:
    return sum(map(len, opened.encode(found, "prod")["data"].values()))


def watched(found: Rollout, judge: Judge) -> Rollout:
    """After each watch, and at the end of the last one."""
    kept: dict[str, Any] = {}
    for at, step in enumerate(found.course):
        if step.does == "watch":
            kept = answered.kept(kept, at, answers(list(step.services), judge))
            found = opened.Rollout(**{**vars(found), "at": at, "answers": kept})
            assert size(found) < LIMIT, f"step {at}"
    return found


@pytest.mark.parametrize("judge", [as_it_is, with_errors, without_prometheus])
@pytest.mark.parametrize("apart", [False, True], ids=["three levels", "all at once"])
def test_five_hundred_services_fit_one_config_map(judge: Judge, apart: bool) -> None:
    names = [f"service-{number:03}" for number in range(500)]
    found = rollout(names)
    if apart:
        found = opened.Rollout(**{**vars(found), "course": course(found.to, {}, approval=True)})
    found = watched(found, judge)
    last = next(step for step in found.course[found.at :: -1] if step.does == "watch")
    told = standing.gates(found)
    assert len(told) == 4 * len(last.services), "each gate has its verdict"
    assert all(gate.why for gate in told)


def test_a_few_services_keep_everything() -> None:
    found = watched(rollout(["api", "tools", "web"]), as_it_is)
    assert len(found.answers) == 12
    assert all(row["query"] for rows in found.answers.values() for row in rows)


def test_what_did_not_pass_keeps_its_evidence() -> None:
    many = answers([f"service-{number:03}" for number in range(500)])
    many[-1] = Answer("service-499", "saturation", Judgement("fail", "full"), "up", {"peak": 1.0})
    rows = answered.kept({}, 3, many)["3"]
    assert [row for row in rows if row["verdict"] == "fail"] == [many[-1].to_json()]


def test_gates_without_end_still_fit() -> None:
    many = answers([f"service-{number:05}" for number in range(20_000)])
    many[-1] = Answer("service-19999", "own", Judgement("fail", "x" * 1_000_000), "y" * 1_000_000)
    rows = answered.kept({}, 3, many)["3"]
    assert len(json.dumps(rows, separators=(",", ":"))) < LIMIT / 2
    assert rows[0]["verdict"] == "fail"
