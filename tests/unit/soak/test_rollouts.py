"""The parts of the soak's rollouts that need no cluster: their order, the figures, the table, what falls short."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise, permutations, product
from pathlib import Path
from typing import Any, get_args
from unittest.mock import Mock

import pytest

from components.workload.spec import Strategy
from tests.soak import __main__ as soak
from tests.soak import result
from tests.soak.rollouts import bad, figures, judging
from tests.soak.rollouts.drive import Driven, Told
from tests.soak.rollouts.place import Ran, Unexpected
from tests.soak.rollouts.rounds import Back, Round, changes, short, whole

STRATEGIES = get_args(Strategy)


def test_every_change_between_strategies_is_in_the_short_form() -> None:
    assert changes(short()) == set(permutations(STRATEGIES, 2))


def test_twenty_rounds_have_every_pair_of_strategies_and_both_ways_back() -> None:
    rounds = whole(20)
    assert len(rounds) == 20
    assert {(one.strategy, other.strategy) for one, other in pairwise(rounds)} == set(product(STRATEGIES, repeat=2))
    assert {one.back for one in rounds if one.strategy == "canary"} == {"rollback", "abort"}
    assert {one.back for one in rounds if one.strategy != "canary"} == {"rollback"}


def ran(began: float, ended: float) -> Ran:
    return Ran(("rollout",), 0, "", "", began, ended)


def told(number: int, strategy: Strategy, at: float, *, back: Back = "rollback", undo: bool = False) -> Told:
    """A round that begins at `at`: out for 10 s, Enter pressed for the way back at 12, and settled at 30."""
    again, undone = (ran(at + 18, at + 20), ran(at + 22, at + 24)) if undo else (None, None)
    return Told(Round(number, strategy, back), ran(at, at + 10), ran(at + 12, at + 15), again, undone, at + 30)


def counted(*runs: list[Any], failed: int = 0, kept: Sequence[list[Any]] = ()) -> dict[str, Any]:
    return {
        "requests": 1000,
        "failed": failed,
        "new_connections": list(runs),
        "kept_connections": list(kept or runs),
        "kinds": {},
        "failures": [{"at": 1}] * failed,
        "latency_ms": {},
        "over_a_second": 4,
        "late": {},
    }


def test_a_rollback_ends_with_the_last_new_connection_to_the_bad_release() -> None:
    answers = counted(
        ["1.0.0", 0, 8, 900], ["1.1.0", 8.1, 13.4, 900], ["1.0.0", 13.5, 29, 900],
        ["1.1.0", 40, 43.0, 900], ["1.0.0", 43.1, 60, 900],
    )  # fmt: skip
    found = figures.figures(Driven([told(1, "blue-green", 0), told(2, "canary", 30, back="abort")], answers, 1000))
    assert found.lines["blue-green"].rollback_seconds == [1.4]
    assert found.lines["canary"].abort_seconds == [1.0]
    assert (found.rollouts, found.rollbacks, found.unanswered) == (2, 2, [])
    assert figures.shortcomings(found) == []


def test_a_lost_request_is_told_with_the_command_that_was_under_way() -> None:
    answers = counted(["1.0.0", 0, 8, 900], failed=2)
    answers["failures"] = [{"at": -0.5}, {"at": 13.25}]
    found = figures.figures(Driven([told(1, "blue-green", 0)], answers, 1000))
    round_one = str(told(1, "blue-green", 0).round)
    assert [one["during"] for one in found.lost] == ["before the first round", f"1.2 s into {round_one}: rollout"]


def test_a_rolling_rollback_is_told_apart_from_kubectls_undo_after_it() -> None:
    answers = counted(
        ["1.0.0", 0, 5, 9], ["1.1.0", 5, 14.5, 9], ["1.0.0", 15, 18, 9], ["1.1.0", 19, 25, 9], ["1.0.0", 25.1, 30, 9]
    )
    found = figures.figures(Driven([told(1, "rolling", 0, undo=True)], answers, 1000))
    assert (found.beside_undo, found.undo_seconds) == ([2.5], [3.0])
    assert figures.shortcomings(found) == []
    found.beside_undo = [4.8]
    assert figures.shortcomings(found) == ["rolling: rollback beside kubectl's undo took 4.80 s, more than 4.75 s"]


def test_connections_kept_alive_have_their_drain_time_more() -> None:
    answers = counted(
        ["1.1.0", 0, 13, 900], ["1.0.0", 13.1, 60, 900], kept=[["1.1.0", 0, 18.5, 900], ["1.0.0", 18.6, 60, 900]]
    )
    found = figures.figures(Driven([told(1, "blue-green", 0)], answers, 1000))
    assert found.lines["blue-green"].kept_seconds == [6.5]
    assert figures.shortcomings(found) == []
    found.lines["blue-green"].kept_seconds = [37.1]
    assert figures.shortcomings(found) == ["blue-green: connections kept alive took 37.10 s, more than 37.00 s"]


def test_a_bad_release_that_goes_on_over_connections_kept_alive_falls_short() -> None:
    answers = counted(["1.1.0", 0, 13, 900], ["1.0.0", 13.1, 60, 900], kept=[["1.1.0", 0, 60, 900]])
    found = figures.figures(Driven([told(1, "canary", 0)], answers, 1000))
    assert "went on over connections kept alive" in figures.shortcomings(found)[0]


def test_connections_that_never_met_the_bad_release_tell_nothing() -> None:
    """Those that are older than the flip stay with the release before: 0 seconds would be praise for nothing."""
    answers = counted(["1.1.0", 0, 13, 900], ["1.0.0", 13.1, 60, 900], kept=[["1.0.0", 0, 60, 900]])
    found = figures.figures(Driven([told(1, "blue-green", 0), told(2, "canary", 30)], answers, 1000))
    assert found.lines["blue-green"].kept_seconds == [None]
    assert figures.shortcomings(found) == []
    said = found.to_json()
    assert said["strategies"]["blue-green"]["kept_seconds"] == [None]
    assert "| 1.0 s (1.0 to 1.0) | n/a |" in "\n".join(figures.table(said))


def test_connections_that_left_the_bad_release_before_the_way_back_took_no_time() -> None:
    answers = counted(
        ["1.1.0", 0, 13, 900], ["1.0.0", 13.1, 60, 900], kept=[["1.1.0", 0, 11, 900], ["1.0.0", 11.1, 60, 900]]
    )
    found = figures.figures(Driven([told(1, "canary", 0)], answers, 1000))
    assert found.lines["canary"].kept_seconds == [0.0]


def test_what_was_seen_is_told_beside_what_was_not() -> None:
    assert figures.spread([None, 1.0, 3.0, 2.0]) == "2.0 s (1.0 to 3.0; 1 n/a)"
    assert figures.spread([]) == ""


def test_an_old_release_that_never_answers_alone_falls_short() -> None:
    answers = counted(["1.0.0", 0, 8, 900], ["1.1.0", 8.1, 40, 900])
    found = figures.figures(Driven([told(1, "canary", 0)], answers, 1000))
    assert "did not have the last word" in figures.shortcomings(found)[0]


def test_everything_that_falls_short_is_said() -> None:
    answers = counted(["1.1.0", 1, 16, 900], ["1.0.0", 16.1, 29, 900], failed=2)
    unprotected = {"requests": 500, "failed": 0}
    found = figures.figures(Driven([told(1, "blue-green", 0)], answers, 990), unprotected)
    wrong = "\n".join(figures.shortcomings(found, requests=200_000))
    for part in (
        "2 of 1000 requests failed",
        "only 1000 requests were sent, 200000 are needed",
        "the servers count 990 requests, the generator 998 answers",
        "blue-green: rollback took 4.00 s, more than 2.00 s",
        "the measurement proves nothing",
    ):
        assert part in wrong


def test_the_figures_make_the_document_and_the_table(tmp_path: Path) -> None:
    answers = counted(["1.1.0", 1, 13, 900], ["1.0.0", 13.1, 29, 900])
    found = figures.figures(Driven([told(1, "blue-green", 0)], answers, 1000), {"requests": 500, "failed": 3})
    file = tmp_path / "soak.json"
    result.merge({"kills": 200}, file)
    result.merge(found.to_json(), file)
    said = json.loads(file.read_text())
    assert said["kills"] == 200 and set(figures.REQUIRED) <= set(said)
    assert (said["rollback_seconds"]["blue-green"], said["unprotected_failed"]) == (1.0, 3)
    page = figures.put_into(f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter", said)
    assert page.startswith("before\n") and page.endswith("\nafter") and "old" not in page
    assert "| blue-green | 1 | 10.0 s (10.0 to 10.0) | 1 | 1.0 s (1.0 to 1.0) | 1.0 s (1.0 to 1.0) |" in page
    assert "1,000 requests, 0 failed; the servers counted 1,000; 4 answers took over a second." in page
    result.forget(figures.REQUIRED, file)
    assert "failed" not in result.read(file) and result.read(file)["kills"] == 200


def test_who_met_a_bad_release_is_counted_while_it_answered() -> None:
    timeline = [
        {"at": 9, "1.0.0": 249, "failed": 1},
        {"at": 10, "1.0.0": 250},
        {"at": 11, "1.0.0": 230, "1.2.0-errors": 20},
        {"at": 12, "1.0.0": 228, "1.2.0-errors": 19, "failed": 3},
        {"at": 13, "1.0.0": 250},
        {"at": 14, "1.0.0": 248, "failed": 2},
        {"at": 15, "1.0.0": 250},
    ]
    new = [["1.0.0", 9.0, 11.1, 400], ["1.2.0-errors", 11.2, 12.4, 19], ["1.0.0", 12.5, 15.9, 300]]
    found = bad.met({"timeline": timeline, "new_connections": new}, "1.2.0-errors")
    assert found == bad.Met(1000, 44, 11, 12.4)
    assert found.bounded


def test_more_than_chance_makes_of_the_weight_is_out_of_bounds() -> None:
    assert bad.Met(10_000, 1_093, 0, 0).bounded
    assert not bad.Met(10_000, 1_095, 0, 0).bounded


def test_gates_are_judged_by_as_many_runs_as_are_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["soak"])
    asked = soak.arguments()
    assert (asked.kills, asked.rollouts, asked.judged) == (200, 20, 20)


def test_a_run_without_any_answer_of_the_gates_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "answers", lambda _: {})
    place = Mock(environment="gated")
    place.start.return_value.done.return_value = ran(0, 1)
    with pytest.raises(Unexpected, match="no gate that needs requests answered"):
        judging._rolled(place, "1.1.0")
