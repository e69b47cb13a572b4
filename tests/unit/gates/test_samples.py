"""Counting events in raw samples: no event is lost, none is counted twice."""

from __future__ import annotations

from typing import Any

import pytest

from cli.gates.builtin import Selection, Service
from cli.gates.counting import bound_of, seen
from cli.gates.samples import BEGAN, CONTEXT, UP, Span
from tests.unit.gates.recording import Recording, series

COUNTER = "http_server_request_duration_seconds_count"
BUCKET = "http_server_request_duration_seconds_bucket"
API = Service("dev", "api")
SPAN = Span(100, 120)


def count(*given: dict[str, Any], span: Span = SPAN) -> int:
    selection = Selection((*CONTEXT, COUNTER), API.matchers)
    return seen(Recording(*given), selection, SPAN).count(COUNTER, span)


def scraped(*times: float, began: float | None = None, pod: str = "api-b-1-x") -> list[dict[str, Any]]:
    known = [series(BEGAN, [(at, began) for at in times], pod=pod)] if began is not None else []
    return [series(UP, [(at, 1) for at in times], pod=pod), *known]


def test_it_counts_from_the_last_sample_before_the_span() -> None:
    assert count(series(COUNTER, {95: 10, 105: 14, 115: 30, 125: 99})) == 20


def test_the_last_part_is_counted_from_within_the_span() -> None:
    assert count(series(COUNTER, {95: 10, 105: 14, 115: 30}), span=SPAN.last(10)) == 16


def test_a_counter_that_started_anew_shows_what_came_since() -> None:
    assert count(series(COUNTER, {95: 10, 105: 14, 110: 3, 115: 5})) == 9


def test_a_process_that_began_anew_and_soon_counted_more_than_before_is_told_by_its_start() -> None:
    counter = series(COUNTER, {95: 2, 105: 5})
    assert count(counter, series(BEGAN, {95: 50, 105: 101}), series(UP, {95: 1, 105: 1})) == 5
    assert count(counter, series(BEGAN, {95: 50, 105: 50}), series(UP, {95: 1, 105: 1})) == 3


def test_the_first_errors_of_a_process_that_was_scraped_without_them_all_count() -> None:
    """The series of a status that never was before begins with its first sample: not with 0."""
    assert count(series(COUNTER, {110: 3, 115: 7}), *scraped(95, 100, 105, 110, 115)) == 7


@pytest.mark.parametrize(("began", "expected"), [(98.0, 7), (41.0, 7), (30.0, 4), (None, 4)])
def test_a_new_pods_first_sample_counts_unless_it_may_be_older_than_what_was_asked(
    began: float | None, expected: int
) -> None:
    """Prometheus may itself be new: what an old process did before is not of this span."""
    assert count(series(COUNTER, {110: 3, 115: 7}), *scraped(110, 115, began=began)) == expected


def test_a_scrape_that_failed_says_nothing() -> None:
    assert count(series(COUNTER, {110: 3, 115: 7}), series(UP, {105: 0, 110: 1, 115: 1})) == 4


def test_pods_are_counted_together_and_told_apart() -> None:
    old = [series(COUNTER, {95: 1000, 115: 1100}, pod="api-a-1-x"), *scraped(95, 115, pod="api-a-1-x")]
    new = [series(COUNTER, {110: 5}), *scraped(110, began=105.0)]
    assert count(*old, *new) == 105


def test_nothing_is_counted_where_nothing_is() -> None:
    assert count() == 0
    assert count(series(COUNTER, {95: 10})) == 0


def test_the_bound_is_the_first_that_most_were_answered_within() -> None:
    """100 requests: 90 within 10 ms, 97 within 25 ms."""
    buckets = [series(BUCKET, {95: 0, 115: n}, le=le) for le, n in (("0.01", 90), ("0.025", 97), ("+Inf", 100))]
    assert bound_of(Recording(*buckets), API, SPAN) == "0.025"
    assert bound_of(Recording(*buckets[::2]), API, SPAN) is None
    assert bound_of(Recording(), API, SPAN) is None
