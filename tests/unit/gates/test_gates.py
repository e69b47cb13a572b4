"""From samples to verdicts."""

from __future__ import annotations

import pytest

from cli.errors import TurnoutError
from cli.gates import asking, builtin, judge, samples
from cli.gates.builtin import Gate, Service
from cli.gates.judge import Counts
from components.prometheus.settings import Slo

SLOS = (
    Slo(name="http-availability", kind="availability", objective=99.9),
    Slo(name="http-latency", kind="latency", objective=99, threshold=1.0, services="api|web"),
    Slo(name="workflow-success", kind="workflow", objective=99),
)


def values(*numbers: float) -> dict[str, list[list[object]]]:
    return {"values": [[index, str(number)] for index, number in enumerate(numbers)]}


@pytest.mark.parametrize(
    ("series", "expected"),
    [([], 0), ([values(5)], 0), ([values(5, 9)], 4), ([values(5, 9, 2, 3)], 7), ([values(1, 2), values(10, 30)], 21)],
)
def test_counters_are_counted_without_extrapolating(series: list[dict[str, object]], expected: int) -> None:
    assert samples.counted(series) == expected


def test_services_are_asked_about_requests_and_workers_about_workflows() -> None:
    found = builtin.services("dev", ["api", "tools"], ["runner"])
    asked = [(gate.service, gate.name) for service in found for gate in builtin.gates(service, SLOS)]
    assert asked == [
        ("api", "http-availability"),
        ("api", "http-latency"),
        ("tools", "http-availability"),
        ("runner", "workflow-success"),
    ]


def test_latency_counts_those_within_the_bound_however_it_is_spelled() -> None:
    [gate] = [gate for gate in builtin.gates(Service("dev", "api", pods="api-a-1-.*"), SLOS) if gate.sense == "good"]
    assert 'le=~"1|1\\\\.0"' in gate.part
    assert 'pod=~"api-a-1-.*"' in gate.part
    assert gate.limit == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("counts", "limit", "verdict"),
    [
        (Counts(0, 49), 0.01, "no data"),
        (Counts(0, 50), 0.01, "pass"),
        (Counts(1, 50), 0.01, "pass"),
        (Counts(6, 50), 0.01, "fail"),
        (Counts(49, 49), 0.01, "no data"),
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
        (Counts(30, 100), Counts(0, 10), "no data"),
        (Counts(0, 10), Counts(0, 100), "no data"),
    ],
)
def test_a_candidate_beside_its_baseline(candidate: Counts, baseline: Counts, verdict: str) -> None:
    assert judge.compared(candidate, baseline).verdict == verdict


def test_no_data_is_never_a_pass() -> None:
    good, bad, none = (judge.absolute(counts, 0.01) for counts in (Counts(0, 99), Counts(99, 99), Counts()))
    assert [judge.worst(row) for row in ([], [good], [good, none], [good, none, bad])] == [
        "no data",
        "pass",
        "no data",
        "fail",
    ]


class Recording:
    def counts(self, gate: Gate, window: int, at: float) -> Counts:  # noqa: ARG002
        if gate.service == "silent":
            raise TurnoutError("nobody answers", why="it is down")
        return Counts(9, 60) if gate.service == "bad" else Counts(0, 60)


def test_answers_are_told_worst_first_with_their_evidence() -> None:
    gates = [Gate("errors", name, f"{name}_failed", f"{name}_all", 0.01) for name in ("good", "silent", "bad")]
    told = list(asking.lines(asking.ask(Recording(), gates, 60, 0.0, 50)))
    assert [line.split()[0] for line in told] == ["fail", "chance", "no", "pass"]
    assert "9 of 60 (15.00%), 1.00% may be" in told[0]
    assert "bad_failed" in told[1]
    assert "nobody answers: it is down" in told[2]
