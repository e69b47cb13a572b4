"""`make bench`: whole commands timed side by side on the demo's environment, into `.turnout/bench.json`.

Every work is done by each tool in turn, A B A B …, so that a machine whose speed drifts favours nobody. Run `make demo`
first.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cli import paths
from cli.demo.project import ENVIRONMENT, SANDBOX
from cli.engine import binary, environ
from cli.engine.attach import Attachment
from cli.engine.render import render
from cli.progress import for_terminal
from cli.sandbox import build

RUNS = 5
ROOT = Path(__file__).resolve().parents[2]
PROJECT = paths.work_dir(ROOT) / "demo"
COMMAND = str(Path(sys.executable).parent / "turnout")


@dataclass(frozen=True)
class Contender:
    """One way to do a piece of work."""

    work: str
    tool: str
    resources: int
    command: list[str]
    fine: tuple[int, ...] = (0,)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """What was measured: median seconds of the whole process, its peak memory in MB."""

    work: str
    tool: str
    resources: int
    seconds: float
    runs: int
    peak_mb: float


def main() -> int:
    """Measure everything; 0 when done, 2 when there is nothing to measure on."""
    if not (PROJECT / "cluster").exists():
        sys.stderr.write("bench: there is no demo environment to measure on; next: make demo\n")
        return 2
    with Attachment({**os.environ, "TURNOUT_PROVIDER": "own"}) as provider:
        rows = [row for group in works(provider) for row in measured(group)]
    out = paths.work_dir(ROOT) / "bench.json"
    out.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    sys.stdout.write("\n".join(table(rows)) + f"\n\n{out.relative_to(ROOT)}\n")
    return 0


def works(provider: Attachment) -> Iterator[list[Contender]]:
    """Groups of contenders that do the same. Plain pulumi uses `provider`, which is already there when it starts."""
    yield [Contender("help", "turnout", 0, [COMMAND, "--help"])]
    objects = _objects()
    count = len(objects)
    yield [
        Contender("preview, nothing changed", "turnout", count, [COMMAND, "-C", str(PROJECT), "preview", ENVIRONMENT]),
        *_plain_pulumi(count, provider),
        Contender("preview, nothing changed", "kubectl", count, _kubectl_diff(objects), fine=(0, 1)),
    ]


def measured(group: list[Contender]) -> list[Row]:
    """Each contender in turn, one round to warm up and `RUNS` that count."""
    seconds: dict[str, list[float]] = {one.tool: [] for one in group}
    peaks: dict[str, float] = {one.tool: 0.0 for one in group}
    for run in range(RUNS + 1):
        for one in group:
            took, peak = once(one)
            if run:
                seconds[one.tool].append(took)
                peaks[one.tool] = max(peaks[one.tool], peak)
    return [
        Row(one.work, one.tool, one.resources, round(statistics.median(seconds[one.tool]), 3), RUNS, peaks[one.tool])
        for one in group
    ]


def once(one: Contender) -> tuple[float, float]:
    """Seconds and peak MB of the largest process of one run."""
    began = time.monotonic()
    process = subprocess.Popen(
        one.command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **one.env}
    )
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode not in one.fine:
        sys.exit(f"bench: {' '.join(one.command)}: exit {process.returncode}\n{said.decode()}")
    return time.monotonic() - began, round(usage.ru_maxrss / 1024, 1)


def table(rows: list[Row]) -> list[str]:
    """The rows as Markdown."""
    lines = ["| Work | Tool | Resources | Median | Peak |", "|---|---|---|---|---|"]
    return lines + [
        f"| {row.work} | {row.tool} | {row.resources or '–'} | {row.seconds:.2f} s | {row.peak_mb:.0f} MB |"  # noqa: RUF001
        for row in rows
    ]


def _plain_pulumi(count: int, provider: Attachment) -> list[Contender]:
    if not shutil.which("pulumi-language-python"):
        sys.stderr.write("bench: plain pulumi is left out: its Python language host is not on PATH\n")
        return []
    pulumi = str(binary.find(for_terminal(quiet=True)).path)
    command = [pulumi, "preview", "--stack", ENVIRONMENT, "--non-interactive"]
    state = {environ.BACKEND: environ.backend(PROJECT, dict(os.environ))}
    secrets = {environ.PASSPHRASE_FILE: str(environ.passphrase_file(PROJECT))}
    variables = state | secrets | provider.variables()
    return [Contender("preview, nothing changed", "pulumi", count, command, env=variables)]


def _objects() -> list[dict[str, object]]:
    """The environment's objects as kubectl wants them, without Secrets: theirs are placeholders in a render."""
    found = [one.reveal() for one in render(PROJECT, ENVIRONMENT).resources if one.is_kubernetes]
    return [one for one in found if one.get("kind") != "Secret"]


def _kubectl_diff(objects: list[dict[str, object]]) -> list[str]:
    file = PROJECT / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    kubectl = str(build.ensure(["kubectl"], for_terminal(quiet=True))["kubectl"])
    config = f"--kubeconfig={paths.sandbox_kubeconfig(SANDBOX)}"
    return [kubectl, config, "diff", "--server-side", "--force-conflicts", f"--filename={file}"]


if __name__ == "__main__":
    sys.exit(main())
