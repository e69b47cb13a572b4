"""What the rounds came to: the figures, what falls short of the promise, and the table for the documentation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Final, get_args

from cli.demo.facts import allowed_rollback
from cli.demo.project import OLD
from cli.load.tally import only_since
from components.workload.spec import Drain, Strategy
from tests.page import put_between
from tests.soak.rollouts.drive import Driven, Told

FLIP_SECONDS: Final = 2.0
"""A warm track, or a canary's old one, answers every new connection again within these seconds of pressing Enter."""
DRAIN_SECONDS: Final = float(Drain().pause + Drain().longest_request)
"""Then its kept-alive connections end within these seconds as well: what the pods of the bad track have to drain."""
BEGIN, END = "<!-- rollouts -->", "<!-- /rollouts -->"
REQUIRED = ("requests", "failed", "rollouts", "rollbacks", "unprotected_failed", "rollback_seconds")
"""What `.turnout/soak.json` always says of a run that came to its end."""


@dataclass
class Line:
    """One strategy. Seconds run from pressing Enter; a rollback's until the last new connection to the bad release.

    `kept_seconds`: of rollbacks and aborts, until the last answer of the bad release over a connection kept alive; None
    where no such connection had met it.
    """

    rollouts: int = 0
    rollbacks: int = 0
    aborts: int = 0
    rollout_seconds: list[float] = field(default_factory=list)
    rollback_seconds: list[float] = field(default_factory=list)
    abort_seconds: list[float] = field(default_factory=list)
    kept_seconds: list[float | None] = field(default_factory=list)


@dataclass
class Figures:
    """Everything of one run."""

    requests: int
    failed: int
    served_by_servers: int
    rollouts: int
    rollbacks: int
    lines: dict[str, Line]
    undo_seconds: list[float]
    beside_undo: list[float]
    unanswered: list[str]
    kinds: dict[str, dict[str, int]]
    lost: list[dict[str, Any]]
    latency_ms: dict[str, float]
    over_a_second: int
    late: dict[str, float]
    unprotected_requests: int = 0
    unprotected_failed: int = 0
    rolling_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """For `.turnout/soak.json`: medians at the top, every single figure under `strategies`."""
        told = {key: value for key, value in asdict(self).items() if key not in ("lines", "undo_seconds")}
        told["rollback_seconds"] = {name: _middle(line) for name, line in self.lines.items()}
        told["kubectl_undo_seconds"] = round(median(self.undo_seconds), 2) if self.undo_seconds else None
        told["strategies"] = {name: asdict(line) for name, line in self.lines.items()}
        told["rolling_seconds"] = round(self.rolling_seconds, 1)
        return told


def figures(driven: Driven, unprotected: dict[str, Any] | None = None) -> Figures:
    """The figures of a run that has ended."""
    counted, lines = driven.counted, {name: Line() for name in get_args(Strategy)}
    found = Figures(
        counted["requests"], counted["failed"], driven.served, len(driven.told), len(driven.told), lines, [], [], [],
        counted["kinds"], _lost(driven), counted["latency_ms"], counted["over_a_second"],
        counted["late"],
    )  # fmt: skip
    for told in driven.told:
        _add(found, lines[told.round.strategy], told, counted)
    if unprotected:
        found.unprotected_requests, found.unprotected_failed = unprotected["requests"], unprotected["failed"]
    return found


def _lost(driven: Driven) -> list[dict[str, Any]]:
    """The requests that failed, each with the command that was the last to begin before it."""
    runs = [(told.round, ran) for told in driven.told for ran in (told.out, told.back, told.again, told.undo) if ran]
    begun = sorted((ran.began, f"{what}: {' '.join(ran.words[:3])}") for what, ran in runs)
    return [{**one, "during": _last(begun, one["at"])} for one in driven.counted["failures"]]


def _last(begun: Sequence[tuple[float, str]], at: float) -> str:
    before = [one for one in begun if one[0] <= at]
    return f"{at - before[-1][0]:.1f} s into {before[-1][1]}" if before else "before the first round"


def _add(found: Figures, line: Line, told: Told, counted: dict[str, Any]) -> None:
    line.rollouts += 1
    line.rollout_seconds.append(round(told.out.ended - told.out.began, 2))
    until = told.again.began if told.again else told.until
    seconds = _until_old(counted, told.back.began, until)
    if seconds is None:
        found.unanswered.append(f"{told.round}: {OLD} did not have the last word")
        return
    if (kept := _until_old(counted, told.back.began, until, over="kept")) is None:
        found.unanswered.append(f"{told.round}: the bad release went on over connections kept alive")
    else:
        line.kept_seconds.append(kept if _met_over_kept(counted, told.out.began, until) else None)
    if told.round.back == "abort":
        line.aborts += 1
        line.abort_seconds.append(seconds)
    else:
        line.rollbacks += 1
        line.rollback_seconds.append(seconds)
    if told.undo and (undone := _until_old(counted, told.undo.began, told.until)) is not None:
        found.undo_seconds.append(undone)
        found.beside_undo.append(seconds)


def _until_old(counted: dict[str, Any], pressed: float, before: float, over: str = "new") -> float | None:
    switched = only_since(counted, OLD, after=pressed, before=before, over=over)
    return None if switched is None else round(switched - pressed, 2)


def _met_over_kept(counted: dict[str, Any], since: float, before: float) -> bool:
    runs = counted["kept_connections"]
    return any(version != OLD and last >= since and first < before for version, first, last, _ in runs)


def shortcomings(found: Figures, *, requests: int = 0) -> list[str]:
    """What does not hold; nothing when all is well."""
    wrong = [*found.unanswered, *lost(found, requests), *_slow(found)]
    if found.unprotected_requests and not found.unprotected_failed:
        wrong.append("without preStop and drain nothing failed either: the measurement proves nothing")
    return wrong


def lost(found: Figures, requests: int = 0) -> list[str]:
    """What does not hold of the requests themselves, whatever the clock says."""
    wrong = []
    if found.failed:
        wrong.append(f"{found.failed} of {found.requests} requests failed: {found.lost[:5]}")
    if found.requests < requests:
        wrong.append(f"only {found.requests} requests were sent, {requests} are needed")
    if found.served_by_servers != found.requests - found.failed:
        answers = found.requests - found.failed
        wrong.append(f"the servers count {found.served_by_servers} requests, the generator {answers} answers")
    return wrong


def _slow(found: Figures) -> list[str]:
    """Medians: a single one on a busy machine says little."""
    undone = allowed_rollback(median(found.undo_seconds)) if found.undo_seconds else 0.0
    rows: list[tuple[str, Sequence[float | None], float]] = [
        ("rolling: rollback beside kubectl's undo", found.beside_undo, undone)
    ]
    for name in ("blue-green", "canary"):
        line = found.lines[name]
        rows.append((f"{name}: rollback", line.rollback_seconds, FLIP_SECONDS))
        rows.append((f"{name}: abort", line.abort_seconds, FLIP_SECONDS))
        rows.append((f"{name}: connections kept alive", line.kept_seconds, FLIP_SECONDS + DRAIN_SECONDS))
    seen = [(what, _seen(taken), limit) for what, taken, limit in rows]
    return [
        f"{what} took {median(taken):.2f} s, more than {limit:.2f} s"
        for what, taken, limit in seen
        if taken and median(taken) > limit
    ]


def _middle(line: Line) -> float | None:
    taken = [*line.rollback_seconds, *line.abort_seconds]
    return round(median(taken), 2) if taken else None


def table(told: dict[str, Any]) -> list[str]:
    """The table of docs/performance.md, from what `to_json` gave."""
    undo = told["kubectl_undo_seconds"]
    lines = [
        "| Strategy | Rollouts | Rollout | Rollbacks and aborts | Until the last new connection to the bad release "
        "| Until the last one kept alive |",
        "|---|---|---|---|---|---|",
    ]
    for name, line in told["strategies"].items():
        back, kept = [*line["rollback_seconds"], *line["abort_seconds"]], line.get("kept_seconds", [])
        beside = f" (`kubectl rollout undo`: {undo} s)" if name == "rolling" and undo is not None else ""
        lines.append(
            f"| {name} | {line['rollouts']} | {spread(line['rollout_seconds'])} "
            f"| {line['rollbacks'] + line['aborts']} | {spread(back)}{beside} | {spread(kept)} |"
        )
    failed, sent = told["unprotected_failed"], told["unprotected_requests"]
    return [
        *lines,
        "",
        f"{told['requests']:,} requests, {told['failed']} failed; the servers counted {told['served_by_servers']:,}; "
        f"{told['over_a_second']} answers took over a second. "
        f"Without preStop and drain {failed} of {sent:,} failed. The last column is the bad release's last answer over "
        "a connection kept alive: those are opened anew after each rollout, for one from before a flip stays with "
        "the release before; n/a where none had met the bad release.",
    ]


def put_into(text: str, told: dict[str, Any]) -> str:
    """The page with the table between its marks."""
    return put_between(text, BEGIN, END, table(told))


def spread(seconds: Sequence[float | None]) -> str:
    """The median, and what it lies between; `n/a` where nothing was seen."""
    seen = _seen(seconds)
    if not seen:
        return "n/a" if seconds else ""
    more = f"; {len(seconds) - len(seen)} n/a" if len(seen) < len(seconds) else ""
    return f"{median(seen):.1f} s ({min(seen):.1f} to {max(seen):.1f}{more})"


def _seen(seconds: Sequence[float | None]) -> list[float]:
    return [one for one in seconds if one is not None]
