"""Error ratio and p95 latency of both tracks over the last minutes, drawn as small bars. Pure but for `read`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from components.prometheus.metrics import REQUESTS

STEP = 10
POINTS = 24
_RATE = "1m"
"""Four scrapes of the slowest tier, so that one lost scrape leaves no hole."""
_ONE_IN_A_HUNDRED = 0.01
_BARS = "▁▂▃▄▅▆▇█"

Measure = Literal["errors", "p95"]
Values = tuple[float | None, ...]
"""Oldest first; None where nothing was measured."""


class Source(Protocol):
    """Prometheus (`cli.gates.prometheus.Prometheus`)."""

    def range(self, query: str, start: float, end: float, step: float) -> Sequence[Mapping[str, Any]]: ...


@dataclass(frozen=True)
class Curve:
    """One measure of one track. Errors are a share (0 to 1), latency is in seconds."""

    service: str
    track: str
    measure: Measure
    values: Values

    @property
    def last(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


def read(source: Source, namespace: str, services: Iterable[str], now: float) -> tuple[Curve, ...]:
    """The curves of these services up to now (seconds since 1970). Raises TurnoutError where Prometheus is silent."""
    names = sorted(services)
    if not names:
        return ()
    end = now // STEP * STEP
    found: list[Curve] = []
    for measure, query in queries(namespace, names).items():
        rows = source.range(query, end - STEP * (POINTS - 1), end, STEP)
        newest = max((float(at) for row in rows for at, _ in row.get("values") or ()), default=0.0)
        found += [_curve(measure, row, newest) for row in rows]
    return tuple(found)


def queries(namespace: str, services: Sequence[str]) -> dict[Measure, str]:
    """One query a measure, for all services and tracks."""
    chosen = f'job="app", namespace="{namespace}", service=~"{"|".join(services)}"'
    failed = f'rate({REQUESTS}_count{{{chosen}, http_response_status_code=~"5.."}}[{_RATE}])'
    every = f"rate({REQUESTS}_count{{{chosen}}}[{_RATE}])"
    bucket = f"rate({REQUESTS}_bucket{{{chosen}}}[{_RATE}])"
    by = "sum by (service, track)"
    return {
        "errors": f"({by} ({failed}) or {by} ({every}) * 0) / {by} ({every})",
        "p95": f"histogram_quantile(0.95, sum by (service, track, le) ({bucket}))",
    }


def drawn(values: Values, top: float) -> str:
    """One character a value; `top` is the highest bar, and a gap stays a gap."""
    return "".join(" " if value is None else _BARS[_level(value, top)] for value in values)


def figure(measure: Measure, value: float | None) -> str:
    """`1.2 %`, `23 ms`, `1.4 s`."""
    if value is None:
        return "no data"
    if measure == "errors":
        return f"{value:.1%}"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def top(curves: Iterable[Curve]) -> float:
    """The highest value of all: both tracks are drawn to one scale. Less than one error in a hundred fills no bar."""
    pair = list(curves)
    least = _ONE_IN_A_HUNDRED if any(curve.measure == "errors" for curve in pair) else 0.0
    return max([least, *(value for curve in pair for value in curve.values if value is not None)])


def _level(value: float, highest: float) -> int:
    return min(len(_BARS) - 1, round(value / highest * (len(_BARS) - 1))) if highest > 0 else 0


def _curve(measure: Measure, row: Mapping[str, Any], newest: float) -> Curve:
    """Values are placed by their distance from the newest one: the two clocks may differ."""
    labels = row.get("metric") or {}
    known = {round((newest - float(at)) / STEP): float(text) for at, text in row.get("values") or ()}
    values = tuple(_number(known.get(ago)) for ago in reversed(range(POINTS)))
    return Curve(str(labels.get("service", "")), str(labels.get("track", "a")), measure, values)


def _number(value: float | None) -> float | None:
    """A quotient of nothing by nothing is no number."""
    return None if value is None or value != value else value
