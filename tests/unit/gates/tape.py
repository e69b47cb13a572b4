"""A recording of real samples in a small file, and the way to make one: `python -m tests.unit.gates.tape --help`.

A pod's series share the moments of its scrapes, so a file holds those once, and of each series how much it grew.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from cli.gates.builtin import Matcher, Selection, Service
from cli.gates.prometheus import Prometheus
from cli.gates.resources import usage
from cli.gates.samples import BEGAN, CONTEXT, UP, Span
from components.prometheus.metrics import REQUESTS
from tests.unit.gates.recording import Recording

FOLDER = Path(__file__).parent / "recorded"
KEPT = ("__name__", "job", "namespace", "service", "pod", "container", "le", "http_response_status_code", "http_route")
COUNTED = (f"{REQUESTS}_count", f"{REQUESTS}_bucket")
MILLISECONDS = 1000
Row = dict[str, Any]


@dataclass(frozen=True)
class Tape:
    """What Prometheus had of one service, as it answers it."""

    series: tuple[Row, ...]

    @property
    def pods(self) -> list[str]:
        return sorted({row["metric"]["pod"] for row in self.series if row["metric"]["__name__"] == UP})

    def span(self, pod: str) -> Span:
        """From the pod's first to its last scrape."""
        [times] = [
            [at for at, _ in row["values"]]
            for row in self.series
            if row["metric"]["pod"] == pod and row["metric"]["__name__"] == UP
        ]
        return Span(times[0], times[-1])

    def with_candidate(self, pod: str, change: Callable[[Row], list[Row]]) -> Recording:
        """The same, with that pod as track b and all others as track a, each series changed."""
        return Recording(*(changed for row in self.series for changed in change(_lettered(row, pod))))


def read(path: Path) -> Tape:
    packed = json.loads(gzip.decompress(path.read_bytes()))
    times = [[at / MILLISECONDS for at in accumulate(moments)] for moments in packed["times"]]
    return Tape(tuple(_unpacked(row, times) for row in packed["series"]))


def write(path: Path, series: Sequence[Row]) -> None:
    times: list[list[int]] = []
    rows = [_packed(row, times) for row in series]
    packed = json.dumps({"times": [_steps(moments) for moments in times], "series": rows}, separators=(",", ":"))
    path.write_bytes(gzip.compress(packed.encode(), mtime=0))


def record(prometheus: Prometheus, service: Service, span: Span) -> Iterator[Row]:
    """Everything that gates ask of a service."""
    asked = Selection((*CONTEXT, *COUNTED), (*service.matchers, Matcher("http_route", "=~", "|/v1/.+")))
    for row in [*prometheus.series(asked, span), *prometheus.series(usage(service), span)]:
        yield {**row, "metric": {name: row["metric"][name] for name in KEPT if name in row["metric"]}}


def _packed(row: Row, times: list[list[int]]) -> list[Any]:
    moments = [round(at * MILLISECONDS) for at, _ in row["values"]]
    if moments not in times:
        times.append(moments)
    values = [float(value) for _, value in row["values"]]
    numbers = [int(value) if value.is_integer() else value for value in values]
    steady = row["metric"]["__name__"] in (UP, BEGAN) and len(set(numbers)) == 1
    return [row["metric"], times.index(moments), numbers[:1] if steady else _steps(numbers)]


def _steps(numbers: Sequence[Any]) -> list[Any]:
    return [*numbers[:1], *(after - before for before, after in pairwise(numbers))]


def _unpacked(row: list[Any], times: list[list[float]]) -> Row:
    metric, at, steps = row
    moments = times[at]
    values = list(accumulate(steps)) if len(steps) == len(moments) else steps * len(moments)
    return {"metric": metric, "values": [list(pair) for pair in zip(moments, values, strict=True)]}


def _lettered(row: Row, pod: str) -> Row:
    name = row["metric"]["pod"]
    letter = "b" if name == pod else "a"
    service, _, rest = name.split("-", 2)
    return {**row, "metric": {**row["metric"], "pod": f"{service}-{letter}-{rest}"}}


def main() -> None:
    from cli.kube.client import connect
    from cli.rollout.where import from_settings

    words = argparse.ArgumentParser(description="Write down what Prometheus has of one service.")
    words.add_argument("sandbox")
    words.add_argument("environment")
    words.add_argument("service")
    words.add_argument("name", help="of the recording")
    words.add_argument("--since", type=float, required=True, help="seconds since 1970")
    words.add_argument("--until", type=float, required=True)
    given = words.parse_args()
    with connect(from_settings({"sandbox": given.sandbox})) as kube:
        found = record(
            Prometheus(kube, given.environment),
            Service(given.environment, given.service),
            Span(given.since, given.until),
        )
        write(FOLDER / f"{given.name}.json.gz", list(found))


if __name__ == "__main__":
    main()
