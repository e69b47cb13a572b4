"""Curves of both tracks: gaps stay gaps, both tracks have one scale, and no Prometheus is said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cli.rollout import curves, panel
from cli.rollout.curves import POINTS, STEP, Curve

NOW = 1_000_000.0


class Recorded:
    """Answers each query with what was recorded for it."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows, self.asked = rows, list[str]()

    def range(self, query: str, start: float, end: float, step: float) -> Sequence[Mapping[str, Any]]:
        assert (end - start, step) == (STEP * (POINTS - 1), STEP)
        self.asked.append(query)
        return self.rows


def row(track: str, *values: tuple[int, str]) -> Mapping[str, Any]:
    """(steps ago, value as text)."""
    return {"metric": {"service": "api", "track": track}, "values": [[NOW - STEP * ago, text] for ago, text in values]}


def test_values_stand_where_they_were_measured() -> None:
    found = curves.read(Recorded(row("a", (2, "0.5"), (0, "1")), row("b", (1, "NaN"))), "dev", ["api"], NOW + 7)
    a, b = (one for one in found if one.measure == "errors")
    assert a.values[-3:] == (0.5, None, 1.0)
    assert a.values[:-3] == (None,) * (POINTS - 3)
    assert (a.last, b.last) == (1.0, None)


def test_one_query_a_measure_serves_all_services() -> None:
    source = Recorded()
    curves.read(source, "dev", ["tools", "api"], NOW)
    assert len(source.asked) == 2
    assert all('namespace="dev", service=~"api|tools"' in query for query in source.asked)
    assert curves.read(source, "dev", [], NOW) == ()
    assert len(source.asked) == 2


def test_both_tracks_are_drawn_to_one_scale() -> None:
    pair = [
        Curve("api", "a", "errors", (0.0, 0.01)),
        Curve("api", "b", "errors", (None, 0.1)),
        Curve("api", "a", "p95", (0.020, 0.023)),
    ]
    errors, p95 = (text for text, _ in panel.curves(pair))
    assert errors == "errors   api  a ▁▂ 1.0%      b  █ 10.0%  "
    assert "23 ms" in p95


def test_a_rare_error_fills_no_bar() -> None:
    assert curves.top([Curve("api", "a", "errors", (0.001,))]) == 0.01
    assert curves.top([Curve("api", "a", "p95", (0.001,))]) == 0.001


def test_figures() -> None:
    assert [curves.figure("p95", value) for value in (0.0231, 1.44, None)] == ["23 ms", "1.4 s", "no data"]


def test_silent_prometheus_is_told() -> None:
    assert [text for text, _ in panel.curves((), "it does not answer")] == ["metrics  none: it does not answer"]
