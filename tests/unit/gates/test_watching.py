"""One look at a track: what its samples say, and what is said where there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from cli.errors import TurnoutError
from cli.gates import watching
from cli.gates.answers import Answer, worst
from cli.gates.builtin import Selection
from cli.gates.prometheus import Prometheus
from cli.gates.samples import BEGAN, UP, Span
from cli.gates.watching import Recorded, Wanted
from components.prometheus.metrics import REQUESTS
from components.prometheus.settings import Slo
from components.rollout.settings import GateSettings
from tests.unit.gates.recording import Empty, Recording, series

SLOS = (
    Slo(name="http-availability", kind="availability", objective=99.9),
    Slo(name="http-latency", kind="latency", objective=99, threshold=1.0),
)
WANTED = Wanted("dev", slos=SLOS, kubelet=False)
BESIDE = replace(WANTED, baseline=True)
BEGIN, STEP = 1000.0, 2


class Sources(Recorded):
    """Samples made by hand in the place of a Prometheus."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.samples = Recording(*rows)

    @property
    def prometheus(self) -> Prometheus:  # type: ignore[override]
        return cast("Prometheus", Empty())


class Behind(Sources):
    """A machine whose clock is a minute behind the cluster's."""

    def ahead(self) -> float:
        return 60.0


class Silent:
    def series(self, selection: Selection, span: Span) -> Sequence[dict[str, Any]]:  # noqa: ARG002
        raise TurnoutError("the Prometheus of dev could not be asked", why="no endpoints available")


def pod(
    letter: str, *phases: tuple[int, int, float, float], rate: float = 5, number: int = 1, began: float = -5
) -> Iterator[dict[str, Any]]:
    """One pod's samples: for `from` to `until` seconds a share of errors, and of requests slower than 50 ms."""
    times = [at for start, end, _, _ in phases for at in range(start, end, STEP)]
    bad = [share for start, end, share, _ in phases for _ in range(start, end, STEP)]
    slow = [share for start, end, _, share in phases for _ in range(start, end, STEP)]
    name = {"pod": f"api-{letter}-{number}-x"}
    yield series(UP, [(BEGIN + at, 1) for at in times], **name)
    yield series(BEGAN, [(BEGIN + at, BEGIN + began) for at in times], **name)
    yield counter("count", times, [rate * STEP * (1 - share) for share in bad], http_response_status_code="200", **name)
    if any(bad):
        yield counter("count", times, [rate * STEP * share for share in bad], http_response_status_code="500", **name)
    for bound, missing in (("0.05", slow), ("1", [0.0] * len(slow)), ("+Inf", [0.0] * len(slow))):
        yield counter("bucket", times, [rate * STEP * (1 - share) for share in missing], le=bound, **name)


def counter(kind: str, times: Sequence[float], grown: Sequence[float], **labels: str) -> dict[str, Any]:
    """A counter that is not there before it has counted anything, as client libraries have it."""
    total, points = 0.0, []
    for at, by in zip(times, grown, strict=True):
        total += by
        if total:
            points.append((BEGIN + at, total))
    return series(f"{REQUESTS}_{kind}", points, **labels)


def gate(**settings: Any) -> GateSettings:
    return GateSettings.model_validate(settings)


def look(wanted: Wanted, rows: Sequence[dict[str, Any]], since: int, until: int, **how: int) -> dict[str, Answer]:
    beside = "a" if wanted.baseline else None
    found = watching.look(Sources(*rows), wanted, "api", "b", beside, BEGIN + since, BEGIN + until, **how)
    return {answer.gate: answer for answer in found}


def verdicts(found: dict[str, Answer]) -> dict[str, str]:
    return {name: answer.verdict for name, answer in found.items()}


def test_a_good_track_passes_every_gate() -> None:
    rows = [*pod("a", (0, 60, 0, 0), rate=45), *pod("b", (0, 60, 0, 0))]
    assert verdicts(look(BESIDE, rows, 0, 60)) == {
        "http-availability": "pass",
        "http-availability-budget": "pass",
        "http-latency": "pass",
        "p95": "pass",
        "restarts": "pass",
    }


def test_errors_fail_with_the_query_and_its_values() -> None:
    found = look(WANTED, list(pod("b", (0, 40, 0.1, 0))), 20, 40)["http-availability"]
    assert found.verdict == "fail"
    assert found.to_json()["values"] == {"share": 0.1, "limit": 0.001, "events": 90, "seconds": 20}
    assert 'service="api", pod=~"api-b-[a-z0-9]+-[a-z0-9]+", http_response_status_code=~"5.."}[20s]' in found.query
    assert "9 of 90 (10.00%), 0.10% may be" in found.judgement.why


def test_a_machine_whose_clock_is_wrong_sees_the_same() -> None:
    rows = list(pod("b", (0, 40, 0, 0), (40, 60, 0.1, 0)))
    right = watching.look(Sources(*rows), WANTED, "api", "b", None, BEGIN + 40, BEGIN + 60)
    behind = watching.look(Behind(*rows), WANTED, "api", "b", None, BEGIN - 20, BEGIN)
    assert right == behind
    assert worst(right) == "fail"


def test_the_first_errors_of_a_new_series_are_not_lost() -> None:
    """The series of errors begins in the middle of the only window: its first sample is not its beginning."""
    rows = list(pod("b", (0, 30, 0, 0), (30, 42, 0.1, 0)))
    assert look(WANTED, rows, 20, 42)["http-availability"].judgement.counts.bad == 6


def test_a_track_that_turns_bad_after_a_long_good_time_is_seen_in_its_last_part() -> None:
    rows = list(pod("b", (0, 3600, 0, 0), (3600, 3620, 0.06, 0)))
    found = look(WANTED, rows, 0, 3620)["http-availability"]
    assert (found.verdict, found.to_json()["values"]["seconds"]) == ("fail", 20)


def test_a_track_that_is_bad_by_little_is_seen_over_its_whole_time() -> None:
    rows = list(pod("b", (0, 1200, 0.004, 0)))
    last = look(WANTED, rows, 1180, 1200)["http-availability"]
    whole = look(WANTED, rows, 0, 1200)["http-availability"]
    assert (last.verdict, whole.verdict) == ("pass", "fail")
    assert whole.to_json()["values"]["seconds"] == 1200


def test_latency_times_five_is_seen_beside_the_other_track() -> None:
    """20 ms against 100 ms: far within the promise of 1 s, and yet worse than what users had."""
    rows = [*pod("a", (0, 40, 0, 0.02), rate=45), *pod("b", (0, 20, 0, 0.02), (20, 40, 0, 1))]
    assert "p95" not in look(WANTED, rows, 0, 40)
    found = look(BESIDE, rows, 0, 40)
    assert (found["http-latency"].verdict, found["p95"].verdict) == ("pass", "fail")
    assert 'le=~"0\\\\.05"' in found["p95"].query


def test_a_track_is_compared_with_pods_of_its_own_age() -> None:
    """The warm pod of the other track has nothing slow; the one that began with the candidate is as slow as it."""
    old = list(pod("a", (0, 40, 0, 0), rate=45, number=1, began=-90_000))
    young = list(pod("a", (0, 40, 0, 0.4), rate=5, number=2))
    new = list(pod("b", (0, 40, 0, 0.4)))
    alike, older = (look(BESIDE, rows, 0, 40)["p95"] for rows in ([*old, *young, *new], [*old, *new]))
    assert (alike.verdict, alike.values["baseline_pods"], alike.values["baseline_age"]) == ("pass", 1, "the same")
    assert (older.verdict, older.values["baseline_pods"], older.values["baseline_age"]) == ("fail", 1, "older")


def test_both_tracks_alike_are_no_fault_of_the_new_one() -> None:
    """What both depend on is broken: going back would mend nothing."""
    rows = [*pod("a", (0, 40, 0.1, 0), rate=45), *pod("b", (0, 40, 0.1, 0))]
    found = look(BESIDE, rows, 0, 40)["http-availability"]
    assert found.verdict == "pass"
    assert "the baseline is no better" in found.judgement.why


@pytest.mark.parametrize("rows", [[], list(pod("b", (0, 40, 0, 0), rate=0)), list(pod("a", (0, 40, 0, 0)))])
def test_no_traffic_is_no_data(rows: list[dict[str, Any]]) -> None:
    """Nobody was scraped; nobody asked; only the other track was asked."""
    found = look(WANTED, rows, 0, 40)
    assert (found["http-availability"].verdict, found["http-latency"].verdict) == ("no data", "no data")
    assert worst(found.values()) == "no data"


def test_what_cannot_be_asked_has_no_data_and_says_why() -> None:
    sources = Sources()
    sources.samples = Silent()
    own = {"queue": gate(query="queue_length", above=5)}
    found = watching.look(sources, replace(BESIDE, kubelet=True, gates=own), "api", "b", "a", BEGIN, BEGIN + 40)
    assert {answer.verdict for answer in found} == {"no data"}
    assert {answer.gate for answer in found} >= {"http-availability", "p95", "saturation", "queue"}
    assert "no endpoints available" in found[0].judgement.why


def test_the_more_often_a_rollout_looks_the_surer_it_must_be() -> None:
    """3 of 80: one in ten thousand, where one in a thousand may be."""
    rows = list(pod("b", (0, 12, 0, 0), (12, 14, 0.3, 0), (14, 16, 0, 0)))
    few = look(WANTED, rows, 0, 16, looks=3)["http-availability"]
    many = look(WANTED, rows, 0, 16, looks=1000)["http-availability"]
    assert (few.verdict, many.verdict) == ("fail", "pass")


def test_about_the_past_only_what_was_recorded_is_asked() -> None:
    own = {
        "slow": gate(command=("true",)),
        "page": gate(http="/"),
        "queue": gate(query="q", above=1),
    }
    rows = list(pod("b", (0, 40, 0, 0)))
    found = watching.replay(Sources(*rows), replace(WANTED, gates=own), "api", "b", Span(BEGIN, BEGIN + 40))
    promises = ["http-availability", "http-latency", "http-availability-budget"]
    assert [answer.gate for answer in found] == [*promises, "restarts", "queue"]
