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
from tests.bench import cluster, demo
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
    sys.stdout.write("\n".join(table(rows)) + f"\n\n{OUT.relative_to(ROOT)}\n")
    if asked.write:
        DOCUMENT.write_text(put_into(DOCUMENT.read_text(), rows))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure turnout beside other tools.")
    keys = ["help", "dev", *(work.key for work in works(1))]
    parser.add_argument("--only", action="append", choices=keys, help="only this work; can be repeated")
    parser.add_argument("--runs", type=int, default=5, help="how often (large environments less)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


def measure_all(only: list[str] | None, runs: int) -> Iterator[Row]:
    if not only or "help" in only:
        yield from demo.in_turn([Contender("turnout", [COMMAND, "--help"])], ROOT, 0, runs, "help")
    if not only or "dev" in only:
        yield from demo.measured(ROOT, runs)
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
