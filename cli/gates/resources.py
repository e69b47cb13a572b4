"""Restarts of a track's containers, and how close they come to their limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cli.gates.answers import Answer
from cli.gates.builtin import Matcher, Selection, Service
from cli.gates.counting import Source, seen
from cli.gates.judge import Counts, Judgement, absolute
from cli.gates.samples import CONTEXT, Series, Span, increase, points
from cli.gates.statistics import poisson_tail

if TYPE_CHECKING:
    from cli.gates.objectives import Rules

USUAL = 1 / 86_400
"""Restarts a second of a healthy pod: one a day. A single one is chance, two within minutes are not."""
FULL = 0.9
"""The share of a limit above which a container is close to being killed (memory) or held back (CPU)."""
SELDOM = 0.05
"""The share of samples in which a healthy container is above it."""
_LEAST_SAMPLES = 1
_USED, _ALLOWED = "container_memory_working_set_bytes", "container_spec_memory_limit_bytes"
_CPU, _QUOTA, _PERIOD = "container_cpu_usage_seconds_total", "container_spec_cpu_quota", "container_spec_cpu_period"


@dataclass(frozen=True)
class Restarts:
    """How often containers were started again, in how many pods, and how the last ones ended."""

    count: int
    pods: int
    ends: tuple[str, ...] = ()


def restarts(service: Service, found: Restarts, span: Span, significance: float) -> Answer:
    """Whether there were more than chance explains: a Poisson test against one a day and pod."""
    asked = f"restartCount of pods matching {service.pods or service.name}"
    return Answer(service.name, "restarts", _restarted(found, span, significance), asked, {"restarts": found.count})


def of_pods(pods: Iterable[Mapping[str, Any]], span: Span) -> Restarts:
    """From the pods themselves: what ended in the span and was started again."""
    live = list(pods)
    statuses = [status for pod in live for status in pod.get("status", {}).get("containerStatuses", ())]
    ended = [end for status in statuses if (end := _ended(status)) and span.since < _moment(end["finishedAt"])]
    count = sum(_times(pod, span) for pod in live)
    return Restarts(
        count, len(live), tuple(f"{end.get('reason', 'ended')} (exit {end.get('exitCode')})" for end in ended)
    )


def of_samples(source: Source, service: Service, span: Span) -> Restarts:
    """From when the processes say that they began: for a time that is past."""
    processes = seen(source, Selection(CONTEXT, service.matchers), span).processes
    return Restarts(processes.restarts(span), processes.alive())


def saturation(source: Source, service: Service, span: Span, rules: Rules) -> Answer:
    """Whether containers are above FULL of their limit of memory or CPU in more samples than SELDOM."""
    asked = usage(service)
    found = seen(source, asked, span).series
    shares = [share for at, share in _shares(found) if span.since < at <= span.until]
    counts = Counts(sum(share > FULL for share in shares), len(shares))
    judged = absolute(counts, SELDOM, _LEAST_SAMPLES, rules.significance)
    peak = {"peak": round(max(shares), 3)} if shares else {}
    return Answer(service.name, "saturation", _named(judged), str(asked), peak)


def usage(service: Service) -> Selection:
    """What containers use and may use, as the kubelets tell."""
    pods = service.pods or f"{service.name}-.+"
    where = (Matcher("namespace", "=", service.namespace), Matcher("pod", "=~", pods), Matcher("container", "!=", ""))
    return Selection((_USED, _ALLOWED, _CPU, _QUOTA, _PERIOD), where)


def _restarted(found: Restarts, span: Span, significance: float) -> Judgement:
    counts = Counts(found.count, found.pods)
    if not found.pods:
        return Judgement("no data", "no pods were seen", counts)
    chance = poisson_tail(found.count, USUAL * found.pods * max(span.seconds, 1))
    ends = f": {', '.join(found.ends)}" if found.ends else ""
    why = f"{found.count} restarts of {found.pods} pods in {span.seconds:.0f} s{ends}"
    failed = found.count > 1 and chance < significance
    return Judgement("fail" if failed else "pass", why, counts, chance)


def _times(pod: Mapping[str, Any], span: Span) -> int:
    """All restarts of a pod that is younger than the span; of an older one those that are known to lie within it."""
    status = pod.get("status", {})
    rows = status.get("containerStatuses", ())
    began = status.get("startTime")
    if began and _moment(began) >= span.since:
        return sum(int(row.get("restartCount", 0)) for row in rows)
    return sum(1 for row in rows if (end := _ended(row)) and _moment(end["finishedAt"]) > span.since)


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The last run of a container that was started again."""
    end: Mapping[str, Any] | None = (status.get("lastState") or {}).get("terminated")
    return end if end and end.get("finishedAt") else None


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _shares(series: Sequence[Series]) -> Iterator[tuple[float, float]]:
    """(when, share of the limit) for each sample of a container that has a limit."""
    for rows in _by_container(series).values():
        yield from _memory(rows)
        yield from _cpu(rows)


def _memory(rows: Mapping[str, list[tuple[float, float]]]) -> Iterator[tuple[float, float]]:
    limit = rows[_ALLOWED][-1][1] if rows.get(_ALLOWED) else 0
    if limit > 0:
        yield from ((at, used / limit) for at, used in rows.get(_USED, ()))


def _cpu(rows: Mapping[str, list[tuple[float, float]]]) -> Iterator[tuple[float, float]]:
    if not rows.get(_QUOTA) or not rows.get(_PERIOD):
        return
    limit = rows[_QUOTA][-1][1] / rows[_PERIOD][-1][1]
    for before, after in pairwise(rows.get(_CPU, [])):
        if limit > 0 and after[0] > before[0]:
            yield after[0], increase((before, after)) / (after[0] - before[0]) / limit


def _by_container(series: Sequence[Series]) -> Mapping[tuple[str, str], dict[str, list[tuple[float, float]]]]:
    found: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = defaultdict(dict)
    for one in series:
        labels = one["metric"]
        found[labels["pod"], labels.get("container", "")][labels["__name__"]] = points(one)
    return found


def _named(judged: Judgement) -> Judgement:
    why = judged.why.replace(" events", " samples")
    return Judgement(judged.verdict, f"above {FULL:.0%} of a limit: {why}", judged.counts, judged.chance)
