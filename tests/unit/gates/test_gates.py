"""From samples to verdicts."""

from __future__ import annotations

import pytest

from cli.errors import TurnoutError
from cli.gates import answers, builtin, judge
from cli.gates.builtin import Service
from cli.gates.judge import Counts
from components.prometheus.settings import Slo

SLOS = (
    Slo(name="http-availability", kind="availability", objective=99.9),
    Slo(name="http-latency", kind="latency", objective=99, threshold=1.0, services="api|web"),
    Slo(name="workflow-success", kind="workflow", objective=99),
)


def test_services_are_asked_about_requests_and_workers_about_workflows() -> None:
    found = builtin.services("dev", ["api", "tools"], ["runner"])
    asked = [(gate.service.name, gate.name) for service in found for gate in builtin.gates(service, SLOS)]
    assert asked == [
        ("api", "http-availability"),
        ("api", "http-latency"),
        ("tools", "http-availability"),
        ("runner", "workflow-success"),
    ]


def test_latency_counts_those_within_the_bound_however_it_is_spelled() -> None:
    [gate] = [gate for gate in builtin.gates(Service("dev", "api").of("b"), SLOS) if gate.sense == "good"]
    assert gate.query(20) == (
        '1 - sum(increase(http_server_request_duration_seconds_bucket{job="app", namespace="dev", '
        'service="api", pod=~"api-b-[a-z0-9]+-[a-z0-9]+", le=~"1|1\\\\.0"}[20s])) '
        '/ sum(increase(http_server_request_duration_seconds_count{job="app", namespace="dev", '
        'service="api", pod=~"api-b-[a-z0-9]+-[a-z0-9]+"}[20s]))'
    )
    assert gate.limit == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("counts", "limit", "verdict"),
    [
        (Counts(0, 49), 0.01, "no data"),
        (Counts(0, 50), 0.01, "pass"),
        (Counts(1, 50), 0.01, "pass"),
        (Counts(6, 50), 0.01, "fail"),
        (Counts(49, 49), 0.01, "fail"),  # too few to be good, more than enough to be bad
        (Counts(2, 2), 0.01, "fail"),
        (Counts(1, 2), 0.01, "no data"),
        (Counts(), 0.01, "no data"),
    ],
)
def test_three_verdicts(counts: Counts, limit: float, verdict: str) -> None:
    assert judge.absolute(counts, limit).verdict == verdict


@pytest.mark.parametrize(
    ("candidate", "baseline", "verdict"),
    [
        (Counts(10, 100), Counts(9, 100), "pass"),
        (Counts(30, 100), Counts(5, 100), "fail"),
        (Counts(1100, 100_000), Counts(1000, 100_000), "pass"),  # significant, but within what is tolerated
        (Counts(2, 100), Counts(0, 10), "no data"),
        (Counts(0, 10), Counts(0, 100), "no data"),
    ],
)
def test_a_candidate_beside_its_baseline(candidate: Counts, baseline: Counts, verdict: str) -> None:
    assert judge.compared(candidate, baseline).verdict == verdict


def test_a_promise_that_the_baseline_breaks_as_much_is_not_the_candidates_fault() -> None:
    candidate, baseline = Counts(30, 100), Counts(280, 900)
    alone, beside = judge.absolute(candidate, 0.01), judge.compared(candidate, baseline)
    assert (alone.verdict, beside.verdict) == ("fail", "pass")
    assert judge.excused(alone, baseline, 0.01, beside).verdict == "pass"
    assert judge.excused(alone, Counts(0, 900), 0.01, beside).verdict == "fail"
    worse = judge.compared(Counts(90, 100), baseline)
    assert judge.excused(alone, baseline, 0.01, worse).verdict == "fail"


def test_no_data_is_never_a_pass() -> None:
    good, bad, none = (judge.absolute(counts, 0.01) for counts in (Counts(0, 99), Counts(99, 99), Counts()))
    assert [judge.worst(row) for row in ([], [good], [good, none], [good, none, bad])] == [
        "no data",
        "pass",
        "no data",
        "fail",
    ]


def test_answers_are_told_worst_first_with_their_evidence() -> None:
    """A failed gate shows what to ask again, and what it gave."""
    broken = answers.Answer("bad", "errors", judge.absolute(Counts(9, 60), 0.01), "sum(x)", {"share": 0.15})
    good = answers.Answer("good", "errors", judge.absolute(Counts(0, 60), 0.01), "sum(y)")
    silent = answers.silent("silent", "errors", TurnoutError("nobody answers", why="it is down"))
    told = list(answers.told([good, silent, broken]))
    assert [line.split()[0] for line in told] == ["fail", "chance", "asked:", "values:", "no", "pass"]
    assert "9 of 60 (15.00%), 1.00% may be" in told[0]
    assert told[2:4] == ["         asked: sum(x)", "         values: share 0.15"]
    assert "nobody answers: it is down" in told[4]
