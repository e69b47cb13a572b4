"""An error budget that a rollout spends: what was left when the rollout began, and what its own track did since."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import TurnoutError
from cli.gates import watching
from cli.gates.answers import Answer
from cli.gates.watching import Recorded
from tests.unit.gates.recording import Recording
from tests.unit.gates.test_watching import BEGIN, WANTED, pod

PROMISE = 0.001


class Asked:
    """A Prometheus that has so many events on record from before; `at`: what moments it was asked about."""

    def __init__(self, **figures: float) -> None:
        self.figures = figures
        self.at: list[float | None] = []

    def query(self, query: str, at: float | None = None) -> list[Any]:
        assert 'slo:events:rate5m{slo="http-availability", namespace="dev", service="api"}[30d]' in query
        self.at.append(at)
        return [{"metric": {"figure": name}, "value": [0, f"{value}"]} for name, value in self.figures.items()]


class Sources(Recorded):
    def __init__(self, asked: Any, *rows: dict[str, Any]) -> None:
        self.asked, self.samples = asked, Recording(*rows)

    @property
    def prometheus(self) -> Any:  # type: ignore[override]
        return self.asked


def budget(asked: Any, *rows: dict[str, Any], since: float = 0, until: float = 60, **how: Any) -> Answer:
    found = watching.look(Sources(asked, *rows), WANTED, "api", "b", None, BEGIN + since, BEGIN + until, **how)
    return {answer.gate: answer for answer in found}["http-availability-budget"]


def test_a_rollout_that_spends_what_was_left_fails_with_the_query_and_its_values() -> None:
    """29 of 290 fail, where 20 more of 30 days' million were left."""
    asked = Asked(events=1_000_000, bad=980, days=30)
    found = budget(asked, *pod("b", (0, 60, 0.1, 0)))
    assert (found.verdict, asked.at) == ("fail", [BEGIN])
    assert found.query.startswith("label_replace(30 * sum_over_time(slo:events:rate5m")
    assert found.values == {
        "left": 20.0, "bad_before": 980, "events_before": 1_000_000, "days": 30, "bad": 29, "events": 290,
        "limit": PROMISE,
    }  # fmt: skip
    assert "29 of 290 (10.00%) spend the 20 that were left (30.0 of 30 days on record)" in found.judgement.why


def test_a_rollout_that_leaves_some_of_it_passes() -> None:
    found = budget(Asked(events=1_000_000, bad=900, days=30), *pod("b", (0, 60, 0.1, 0)))
    assert (found.verdict, "100 were left" in found.judgement.why) == ("pass", True)


def test_a_budget_that_was_spent_before_lets_a_mending_release_out_and_says_so() -> None:
    found = budget(Asked(events=1_000_000, bad=5_000, days=30), *pod("b", (0, 60, 0, 0)))
    assert (found.verdict, "was spent before the rollout began" in found.judgement.why) == ("pass", True)
    assert budget(Asked(events=1_000_000, bad=5_000, days=30), *pod("b", (0, 60, 0.1, 0))).verdict == "pass"


def test_what_the_whole_rollout_spent_counts_and_not_this_step_alone() -> None:
    """The step under way is faultless; the one before it spent the rest."""
    rows = [*pod("b", (0, 60, 0.1, 0), (60, 120, 0, 0))]
    asked = Asked(events=1_000_000, bad=980, days=30)
    assert budget(asked, *rows, since=60, until=120).verdict == "pass"
    assert budget(asked, *rows, since=60, until=120, began=BEGIN).verdict == "fail"
    assert asked.at == [BEGIN + 60, BEGIN]


def test_what_the_other_track_does_spends_nothing() -> None:
    rows = [*pod("a", (0, 60, 0.5, 0)), *pod("b", (0, 60, 0, 0))]
    assert budget(Asked(events=1_000_000, bad=999, days=30), *rows).verdict == "pass"


@pytest.mark.parametrize(("share", "verdict"), [(0.1, "fail"), (0.0, "pass")])
def test_a_young_prometheus_says_what_it_has(share: float, verdict: str) -> None:
    rows = list(pod("b", (0, 60, share, 0)))
    young, none = budget(Asked(events=2_000, bad=0, days=0.25), *rows), budget(Asked(), *rows)
    assert (young.verdict, none.verdict) == (verdict, verdict)
    assert "0.2 of 30 days on record" in young.judgement.why
    assert "nothing on record from before" in none.judgement.why


def test_of_a_short_record_one_error_is_chance() -> None:
    """One of 290: the record of 500 has but half an error left."""
    rows = [*pod("b", (0, 60, 0, 0)), *pod("b", (2, 6, 0.05, 0), number=2)]
    found = budget(Asked(events=500, bad=0, days=0.01), *rows)
    assert (found.judgement.counts.bad, found.verdict) == (1, "pass")


@pytest.mark.parametrize("bad", [0, 5_000])
def test_no_requests_are_no_data(bad: float) -> None:
    asked = Asked(events=1_000_000, bad=bad, days=30)
    assert budget(asked).verdict == "no data"
    assert budget(asked, *pod("b", (0, 60, 0, 0), rate=0)).verdict == "no data"


def test_a_prometheus_that_does_not_answer_is_no_data_with_the_query() -> None:
    class Silent:
        def query(self, *_: Any) -> list[Any]:
            raise TurnoutError("the Prometheus of dev could not be asked", why="no endpoints available")

    found = budget(Silent(), *pod("b", (0, 60, 0.1, 0)))
    assert (found.verdict, "no endpoints available" in found.judgement.why) == ("no data", True)
    assert "slo:bad_events:rate5m" in found.query


def test_a_rollout_of_days_is_counted_by_its_last_hour() -> None:
    rows = list(pod("b", (0, 60, 0.5, 0), (60, 4000, 0, 0), rate=1))
    found = budget(Asked(events=10_000, bad=0, days=1), *rows, since=3900, until=4000, began=BEGIN)
    assert (found.verdict, found.values["bad"]) == ("pass", 0)
