"""Samples made by hand, answered as Prometheus would."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from cli.gates.builtin import Selection
from cli.gates.samples import Span


def series(name: str, points: Mapping[float, float] | Sequence[tuple[float, float]], **labels: str) -> dict[str, Any]:
    """One series of a pod of dev's api, unless the labels say otherwise."""
    own = {"job": "app", "namespace": "dev", "service": "api", "pod": "api-b-1-x", **labels}
    rows = points.items() if isinstance(points, Mapping) else points
    return {"metric": {"__name__": name, **own}, "values": [[at, f"{value:g}"] for at, value in rows]}


class Empty:
    """A Prometheus that knows the samples which a recording has, and nothing else."""

    def query(self, *_: Any) -> list[Any]:
        return []


class Recording:
    """A source of raw samples: those given, cut to what is asked for."""

    def __init__(self, *given: dict[str, Any]) -> None:
        self.given = given
        self._chosen: dict[Selection, list[dict[str, Any]]] = {}

    def series(self, selection: Selection, span: Span) -> list[dict[str, Any]]:
        found = [{**one, "values": _within(one["values"], span)} for one in self._of(selection)]
        return [one for one in found if one["values"]]

    def _of(self, selection: Selection) -> list[dict[str, Any]]:
        if selection not in self._chosen:
            self._chosen[selection] = [one for one in self.given if selection.fits(one["metric"])]
        return self._chosen[selection]


def _within(values: list[Any], span: Span) -> list[Any]:
    first, after = (bisect_right(values, moment, key=_moment) for moment in (span.since, span.until))
    return values[first:after]


def _moment(value: list[Any]) -> float:
    return float(value[0])
