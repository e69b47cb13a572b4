"""Healthy series of a real service under load, replayed through the gates that a rollout asks.

`recorded/healthy.json.gz`: the sample app, ten pods in a sandbox, 60 requests a second of which one in two thousand
fails, on a machine that was busy with other things; two rollouts lie within it. `idle.json.gz`: nobody asks anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import cast

from cli.gates import watching
from cli.gates.answers import Answer, worst
from cli.gates.prometheus import Prometheus
from cli.gates.samples import Span
from cli.gates.statistics import FALSE_ALARMS
from cli.gates.watching import Recorded, Wanted
from components.prometheus.settings import Slo
from tests.unit.gates import tape
from tests.unit.gates.recording import Empty, Recording
from tests.unit.gates.tape import Row, Tape

WINDOW = 20
WANTED = Wanted(
    "h4",
    slos=(
        Slo(name="http-availability", kind="availability", objective=99.9),
        Slo(name="http-latency", kind="latency", objective=99, threshold=1.0),
    ),
    baseline=True,
)


class Replay(Recorded):
    """A recording in the place of an environment's sources."""

    def __init__(self, samples: Recording) -> None:
        self.samples, self.environment = samples, WANTED.environment

    @property
    def prometheus(self) -> Prometheus:  # type: ignore[override]
        return cast("Prometheus", Empty())


@cache
def recorded(name: str) -> Tape:
    return tape.read(tape.FOLDER / f"{name}.json.gz")


def windows(found: Tape) -> Iterator[tuple[str, Span]]:
    """Each pod as the candidate, and its time in pieces that do not overlap."""
    for pod in found.pods:
        alive = found.span(pod)
        for number in range(int(alive.seconds / WINDOW)):
            since = alive.since + number * WINDOW
            yield pod, Span(since, since + WINDOW)


def as_it_is(row: Row) -> list[Row]:
    return [row]


def failing_a_tenth(row: Row) -> list[Row]:
    """A tenth of the candidate's good answers as errors."""
    if not row["metric"]["pod"].startswith("api-b-") or _status(row) not in ("200", "500"):
        return [row]
    return [_part(row, "200", 0.9), _part(row, "500", 0.1)] if _status(row) == "200" else []


def _status(row: Row) -> str:
    is_count = row["metric"]["__name__"].endswith("_count")
    return str(row["metric"].get("http_response_status_code", "")) if is_count else ""


def _part(row: Row, status: str, share: float) -> Row:
    values = [[at, value * share] for at, value in row["values"]]
    return {"metric": {**row["metric"], "http_response_status_code": status}, "values": values}


def looks(
    found: Tape, change: Callable[[Row], list[Row]] = as_it_is, *, most: int | None = None
) -> Iterator[list[Answer]]:
    """What a rollout would hear in each window, about that pod beside all others."""
    pods = {pod: Replay(found.with_candidate(pod, change)) for pod in found.pods}
    for pod, span in islice(windows(found), most):
        yield watching.look(pods[pod], WANTED, "api", "b", "a", span.since, span.until)


def test_of_a_thousand_healthy_windows_hardly_one_is_called_bad() -> None:
    heard = list(looks(recorded("healthy")))
    answers = [answer for look in heard for answer in look]
    said = Counter((answer.gate, answer.verdict) for answer in answers)
    alarms = [look for look in heard if worst(look) == "fail"]
    assert len(heard) >= 1_000
    assert len(alarms) <= FALSE_ALARMS * len(heard), [answer.to_json() for look in alarms for answer in look]
    assert min(said[gate, "pass"] for gate in ("http-availability", "http-latency", "p95")) > 0.95 * len(heard), said
    errors = (answer.judgement.counts.bad for answer in answers if answer.gate == "http-availability")
    assert sum(errors) > 50, "a healthy service has errors too"


def test_windows_without_traffic_are_no_data_and_never_pass() -> None:
    heard = list(looks(recorded("idle")))
    assert len(heard) >= 20
    asked = [answer for look in heard for answer in look if answer.gate in ("http-availability", "http-latency", "p95")]
    assert len(asked) == 3 * len(heard)
    assert {answer.verdict for answer in asked} == {"no data"}
    assert {answer.judgement.counts.total for answer in asked} == {0}
    assert {worst(look) for look in heard} == {"no data"}


def test_the_same_windows_with_a_candidate_that_fails_a_tenth_are_called_bad() -> None:
    """What was recorded would be called healthy by a gate that sees nothing, too."""
    heard = list(looks(recorded("healthy"), failing_a_tenth, most=100))
    seen = sum(worst(look) == "fail" for look in heard)
    assert seen > 0.95 * len(heard)
