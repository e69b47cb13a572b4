"""What a soak came to, for people and for `.turnout/soak.json`: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.soak.lane import Hit, Result


@dataclass
class Report:
    """Everything of one run so far."""

    seed: str
    cycles: int = 0
    hits: list[Hit] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    orphans: list[float] = field(default_factory=list)
    pending: int = 0
    seconds: float = 0.0

    def add(self, lane: int, number: int, result: Result) -> None:
        self.cycles += 1
        self.hits += result.hits
        self.pending += result.unknown
        if result.hits and result.hits[0].victim == "turnout":
            self.orphans.append(result.orphans)
        if result.faults:
            self.failures.append(failure(self.seed, lane, number, result))

    def to_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "kills": len(self.hits),
            "cycles": self.cycles,
            "by_victim": counted(hit.victim for hit in self.hits),
            "by_operation": counted(hit.operation for hit in self.hits),
            "by_phase": counted(hit.phase for hit in self.hits),
            "by_victim_and_operation": counted(f"{hit.victim} in {hit.operation}" for hit in self.hits),
            "pending_operations": self.pending,
            "orphan_seconds": max(self.orphans, default=0.0),
            "failures": self.failures,
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> list[str]:
        """The summary."""
        told = self.to_json()
        lines = [f"{told['kills']} kills in {told['cycles']} cycles, {told['seconds']:.0f} s, seed {self.seed}"]
        for title in ("victim", "operation", "phase"):
            lines.append(f"  by {title}: " + ", ".join(f"{key} {n}" for key, n in told[f"by_{title}"].items()))
        lines.append(f"  operations that were cut off and read back: {self.pending}")
        lines.append(f"  longest that anything outlived its turnout: {told['orphan_seconds']:.1f} s")
        lines.append(f"  failures: {len(self.failures)}")
        return lines


def failure(seed: str, lane: int, number: int, result: Result) -> dict[str, Any]:
    """What is needed to understand a failed cycle, and to do it again."""
    cycle = result.cycle
    return {
        "seed": seed,
        "lane": lane,
        "cycle": number,
        "operation": cycle.operation,
        "before": cycle.before.to_json(),
        "after": cycle.after.to_json(),
        "kill": asdict(cycle.kill),
        "kills": [asdict(hit) for hit in result.hits],
        "faults": result.faults,
        "commands": [done.told() for done in result.commands],
    }


def line(lane: int, number: int, result: Result) -> str:
    """One cycle in one line."""
    kill = result.cycle.kill
    ends = " ".join(f"{done.words[0]}:{done.code}" for done in result.commands)
    what = f"{result.cycle.operation}, {kill.victim} at {kill.phase} {kill.fraction:.2f}, {kill.next}"
    hits = f"{len(result.hits)} kills, {result.unknown} cut off" if result.hits else "missed"
    verdict = f"FAILED: {result.faults[0].splitlines()[0]}" if result.faults else "ok"
    return f"lane {lane} cycle {number}: {what}: {hits}: {ends}: {result.seconds:.1f} s: {verdict}"


def counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(str(name) for name in names).items()))


def missing(hits: Sequence[Hit], victims: Iterable[str], operations: Iterable[str]) -> list[str]:
    """Victims and operations that no kill hit."""
    seen = {hit.victim for hit in hits} | {hit.operation for hit in hits}
    return [str(name) for name in (*victims, *operations) if name not in seen]
