"""The rehearsal at scale: a prod of many services is looked at, rolled and rolled back, its pods simulated.

Seconds are mostly the cluster's own, on the same processors; processor seconds and memory are turnout's, with its
engine and provider. Each size has a cluster of its own, so that none pays for the one before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from cli import paths
from cli.sandbox.layout import Layout
from tests.bench import cluster, fleet, measure
from tests.bench.answers import answering
from tests.bench.cluster import COMMAND
from tests.bench.fleet import COPIES, Fleet
from tests.bench.measure import Sample
from tests.bench.works import AT_ONCE, Row, row, say
from tests.page import put_between

KEY: Final = "scale"
SIZES: Final = (50, 100, 250, 500)
STRATEGIES: Final = ("rolling", "blue-green")
BEGIN, END = "<!-- scale -->", "<!-- /scale -->"
CHOSEN: Final = "TURNOUT_BENCH_SCALE"
"""Other sizes and strategies: `50,100:rolling`."""
_SPARE: Final = 1.3
"""Room on the nodes for the pods that a rolling update adds for a while."""
_PREVIEW, _ROLLOUT, _ROLLBACK, _RESTART = "preview", "rollout", "rollback", "kubectl restart"
_RESTARTS: Final = '"$0" --namespace="$1" rollout restart deployment && "$0" --namespace="$1" rollout status deployment'
"""The same pods replaced by the cluster alone: every Deployment at once, none waiting for what it calls."""
_OWN: Final = {"TURNOUT_PROVIDER": "own"}


def measured(checkout: Path) -> Iterator[Row]:
    """The rows, smallest first. A size that fails ends its strategy, and why is said."""
    for strategy in chosen_strategies():
        for size in chosen_sizes():
            try:
                yield from rehearsed(Fleet(size, strategy), checkout)
            except measure.Failed as error:
                say(f"{size} services, {strategy}: {error}")
                break


def rehearsed(one: Fleet, checkout: Path) -> Iterator[Row]:
    """One fleet in a cluster of its own: up, then the three commands that are measured."""
    folder = paths.work_dir(checkout) / "bench" / one.environment
    with cluster.sandbox(room(one)) as kubeconfig:
        sandbox = kubeconfig.parent.name
        settings = Layout(sandbox).settings()
        assert settings
        fleet.write(folder, one, sandbox, checkout)
        run(folder, "up", one.environment, "--yes", env=AT_ONCE)
        with nullcontext() if one.strategy == "rolling" else answering(settings.subnets.whole):
            for name, sample in moves(folder, one, kubeconfig):
                say(f"{one.services} services, {one.strategy}, {name}: {told(sample)}")
                tool = "kubectl" if name == _RESTART else "turnout"
                yield row(f"{KEY}: {one.strategy}, {name}", tool, one.services, [sample])


def moves(folder: Path, one: Fleet, kubeconfig: Path) -> Iterator[tuple[str, Sample]]:
    """There and back, and beside it what the cluster takes by itself for a rolling update of the same Deployments.

    A service has its second track from the first rollout on; that is what is measured.
    """
    fleet.release(folder, one, fleet.NEW)
    yield _PREVIEW, run(folder, "preview", one.environment)
    yield _ROLLOUT, run(folder, "rollout", "start", one.environment, "--yes")
    yield _ROLLBACK, run(folder, "rollback", one.environment, "--yes")
    if one.strategy == "rolling":
        command = ["sh", "-c", _RESTARTS, cluster.kubectl(), one.environment]
        try:
            yield _RESTART, measure.run(command, cwd=folder, env={"KUBECONFIG": str(kubeconfig)})
        except measure.Failed as error:
            say(f"{one.services} services, {_RESTART}: {error}")


def run(folder: Path, *words: str, env: dict[str, str] | None = None) -> Sample:
    return measure.run([COMMAND, *words], cwd=folder, env={**_OWN, **(env or {})})


def room(one: Fleet) -> int:
    """Pods at one time."""
    return int(one.pods * (2 if one.strategy != "rolling" else 1) * _SPARE)


def chosen_sizes() -> Sequence[int]:
    sizes = os.environ.get(CHOSEN, "").partition(":")[0]
    return [int(size) for size in sizes.split(",")] if sizes else SIZES


def chosen_strategies() -> Sequence[str]:
    named = os.environ.get(CHOSEN, "").partition(":")[2]
    return named.split(",") if named else STRATEGIES


def table(rows: Iterable[Row]) -> list[str]:
    """A row a size and strategy: seconds, processor seconds and peak memory of each command; kubectl's seconds."""
    found = {(one.work, one.resources): one for one in rows if is_scale(one)}
    lines = [
        "| Strategy | Services | Pods | preview | rollout | rollback | `kubectl rollout restart` of all at once |",
        "|---|---|---|---|---|---|---|",
    ]
    for strategy in STRATEGIES:
        for size in sorted({size for _, size in found}):
            names = (_PREVIEW, _ROLLOUT, _ROLLBACK, _RESTART)
            cells = [_cell(found.get((f"{KEY}: {strategy}, {name}", size))) for name in names]
            if any(cells):
                lines.append(f"| {strategy} | {size} | {size * COPIES} | {' | '.join(cells)} |")
    return lines


def put_into(text: str, rows: Iterable[Row]) -> str:
    """The page with the table between its marks."""
    return put_between(text, BEGIN, END, table(rows))


def is_scale(one: Row) -> bool:
    return one.work.startswith(f"{KEY}: ")


def told(sample: Sample) -> str:
    return f"{sample.seconds:.0f} s, {sample.cpu_seconds:.1f} s of processor, {sample.peak_mb:.0f} MB"


def _cell(one: Row | None) -> str:
    if one is None:
        return ""
    own = "" if one.tool == "kubectl" else f", CPU {one.cpu_seconds:.0f} s, {one.peak_mb:.0f} MB"
    return f"{one.seconds:.0f} s{own}"
