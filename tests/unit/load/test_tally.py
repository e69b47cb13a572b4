from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cli.load.tally import Sent, Tally, identity, only_since, percentiles, runs


def sent(at: float, version: str = "1", *, kind: str = "new", outcome: str = "ok", late: float = 0) -> Sent:
    return Sent(kind, at - late, at, at + 0.01, outcome, version, "pod")


def result(*all_sent: Sent) -> dict[str, object]:
    tally = Tally()
    for one in all_sent:
        tally.add(one)
    return tally.result(url="http://127.0.0.1/", rate=1, began=0, ended=10)


def test_failures_are_counted_and_named() -> None:
    got = result(sent(1), sent(2, outcome="timeout"), sent(3, outcome="status 500"))
    assert (got["requests"], got["ok"], got["failed"]) == (3, 1, 2)
    assert got["failures"] == [
        {"at": 2, "kind": "new", "outcome": "timeout"},
        {"at": 3, "kind": "new", "outcome": "status 500"},
    ]


def test_own_stalls_are_told_apart() -> None:
    assert result(sent(1), sent(2, late=0.2))["late"] == {
        "count": 1,
        "max_ms": 200.0,
        "stalled_seconds": 0.0,
        "processors_stalled_seconds": 0.0,
    }


def test_slow_requests_do_not_spoil_the_latency() -> None:
    slow = Sent("slow", 1, 1, 6, "ok", "1", "pod")
    assert result(sent(1), slow)["latency_ms"] == {"p50": 10.0, "p90": 10.0, "p99": 10.0, "max": 10.0}


def test_answers_over_a_second_are_counted_but_not_those_that_are_slow_on_purpose() -> None:
    long, slow = Sent("kept", 1, 1, 2.2, "ok", "1", "pod"), Sent("slow", 1, 1, 6, "ok", "1", "pod")
    assert result(sent(1), long, slow)["over_a_second"] == 1


def test_versions_tell_when_they_answered() -> None:
    got = result(sent(1), sent(2), sent(3, "2"))
    assert got["versions"] == {
        "1": {"count": 2, "first": 1, "last": 2},
        "2": {"count": 1, "first": 3, "last": 3},
    }


def test_only_since_is_the_last_answer_of_another_version() -> None:
    got = result(sent(1), sent(2, "2"), sent(3), sent(4, "2"), sent(5, "2"))
    assert only_since(got, "2", after=1.5) == 3
    assert only_since(got, "2", after=3.5) == 3.5
    assert only_since(got, "1", after=1.5) is None
    assert only_since(got, "1", after=0, before=1.5) == 0


def test_only_since_looks_at_new_connections_alone() -> None:
    got = result(sent(1), sent(2, "2"), sent(3, kind="kept"))
    assert only_since(got, "2", after=0) == 1
    assert only_since(got, "2", after=0, over="kept") is None
    assert only_since(got, "1", after=2, over="kept") == 2


def test_only_since_is_none_when_nothing_was_answered() -> None:
    assert only_since(result(), "1", after=0) is None


@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from(["1", "2"]))))
def test_runs_lose_no_answer_and_alternate(answers: list[tuple[float, str]]) -> None:
    found = runs(answers)
    assert sum(run[3] for run in found) == len(answers)
    assert all(one[0] != other[0] for one, other in pairwise(found))
    assert all(run[1] <= run[2] for run in found)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_are_ordered_and_end_at_the_maximum(values: list[float]) -> None:
    got = percentiles(values)
    assert list(got.values()) == sorted(got.values())
    assert got["max"] == round(max(values) * 1000, 1)


def test_identity_of_anything() -> None:
    assert identity(b'{"version": "1", "pod": "a"}') == ("1", "a")
    assert identity(b"[]") == identity(b"x") == ("", "")
