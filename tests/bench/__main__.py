"""`make bench`: whole commands timed side by side, into `.turnout/bench.json` and the table in docs/performance.md.

Every piece of work is done by each tool in turn, so that a machine whose speed drifts favours nobody. The dev
environment is that of `make demo`; the synthetic ones are made and taken down in a sandbox of the bench's own.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from cli import paths
from tests.bench import cluster, demo, hermetic, scale
from tests.bench.cluster import COMMAND
from tests.bench.demo import Contender
from tests.bench.report import put_into, table
from tests.bench.works import Row, from_json, measured, say, works

ROOT = Path(__file__).resolve().parents[2]
OUT = paths.work_dir(ROOT) / "bench.json"
DOCUMENT = ROOT / "docs" / "performance.md"


def main() -> int:
    """Measure what was asked for; earlier figures of other works stay. Cleans up however it is ended."""
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows: list[Row] = []
    try:
        for one in measure_all(asked.only, asked.runs):
            rows.append(one)
    finally:
        rows = kept(rows)
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    small = [row for row in rows if not scale.is_scale(row)]
    sys.stdout.write("\n".join([*table(small), "", *scale.table(rows)]) + f"\n\n{OUT.relative_to(ROOT)}\n")
    if asked.write:
        DOCUMENT.write_text(scale.put_into(put_into(DOCUMENT.read_text(), small), rows))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure turnout beside other tools.")
    keys = ["help", "dev", hermetic.KEY, *(work.key for work in works(1)), scale.KEY]
    parser.add_argument("--only", action="append", choices=keys, help="only this work; can be repeated")
    parser.add_argument("--runs", type=int, default=5, help="how often (large environments less)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


def measure_all(only: list[str] | None, runs: int) -> Iterator[Row]:
    """The rehearsal at scale takes most of an hour, and so only comes when it is asked for."""
    if only and scale.KEY in only:
        yield from scale.measured(ROOT)
    if not only or "help" in only:
        yield from demo.in_turn([Contender("turnout", [COMMAND, "--help"])], ROOT, 0, runs, "help")
    if not only or "dev" in only:
        yield from demo.measured(ROOT, runs)
    if not only or hermetic.KEY in only:
        yield from hermetic.measured(ROOT, runs)
    wanted = [work for work in works(runs) if not only or work.key in only]
    if not wanted:
        return
    with cluster.sandbox(max(work.shape.triples for work in wanted)) as kubeconfig:
        for work in wanted:
            say(f"{work.key}: {work.shape.resources} resources")
            yield from measured(work, paths.work_dir(ROOT) / "bench" / work.key, kubeconfig, ROOT)


def kept(rows: list[Row]) -> list[Row]:
    """The new rows, after those of works that were not measured now."""
    new = {(row.work, row.resources) for row in rows}
    try:
        earlier = [from_json(entry) for entry in json.loads(OUT.read_text())]
    except (OSError, ValueError, TypeError):
        earlier = []
    return [row for row in earlier if (row.work, row.resources) not in new] + rows


if __name__ == "__main__":
    sys.exit(main())
