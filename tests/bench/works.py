"""What is measured on synthetic environments: each tool brings its own up, looks at it and takes it down, in turn."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.engine import environ
from tests.bench import cluster, measure
from tests.bench.measure import Sample
from tests.bench.program import Shape
from tests.bench.project import write
from tests.bench.tools import Tool, Verb, available

NAMES: dict[Verb, str] = {"up": "first up", "preview": "preview, nothing changed", "destroy": "destroy"}
AT_ONCE = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""State written once at the end: only to get a large environment that is looked at quickly, never for a figure."""


@dataclass(frozen=True)
class Row:
    """What was measured: medians in seconds; peak memory in MB of the whole tree, and of each kind of process in it."""

    work: str
    tool: str
    resources: int
    seconds: float
    runs: int
    peak_mb: float
    cpu_seconds: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """One synthetic environment. `cycles`: times it is brought up; `previews`: looks at it each time, after a first
    one that does not count. `only_preview`: how it is brought up and taken down is no figure."""

    key: str
    shape: Shape
    cycles: int
    previews: int
    only_preview: bool = False


def works(runs: int) -> list[Work]:
    """The large ones less often."""
    few, some = max(1, runs // 5), min(runs, 3)
    return [
        Work("62", Shape("bench-62", triples=20), runs, 2),
        Work("1001", Shape("bench-1001", triples=333), few, some),
        Work("1000", Shape("bench-1000", plain=998), 1, some, only_preview=True),
        Work("5000", Shape("bench-5000", plain=4998), 1, some, only_preview=True),
    ]


def measured(work: Work, folder: Path, kubeconfig: Path, checkout: Path) -> Iterator[Row]:
    """The rows of one work. A tool that fails is left out, and why is said."""
    tools, missing = available(folder, kubeconfig)
    for why in missing:
        say(f"left out: {why}")
    if work.only_preview:
        tools = [tool for tool in tools if tool.name != "kubectl"]
    samples: dict[tuple[Verb, str], list[Sample]] = defaultdict(list)
    for _ in range(work.cycles):
        for tool in list(tools):
            try:
                for verb, sample in cycle(work, tool, folder, kubeconfig, checkout):
                    samples[verb, tool.name].append(sample)
            except measure.Failed as error:
                say(f"{tool.name} is left out of {work.key}: {error}")
                tools.remove(tool)
    verbs: list[Verb] = ["preview"] if work.only_preview else ["preview", "up", "destroy"]
    for verb in verbs:
        for tool in tools:
            yield row(NAMES[verb], tool.name, work.shape.resources, samples[verb, tool.name])


def cycle(work: Work, tool: Tool, folder: Path, kubeconfig: Path, checkout: Path) -> Iterator[tuple[Verb, Sample]]:
    """Up, previews and destroy by one tool, from nothing to nothing. Raises Failed."""
    shutil.rmtree(folder, ignore_errors=True)
    write(folder, work.shape, checkout)
    environ.state_folder(folder).mkdir()
    env = {**tool.env, **(AT_ONCE if work.only_preview else {})}
    gone = False
    try:
        for command in tool.first:
            measure.run(command, cwd=folder, env=env)
        yield "up", done(measure.run(tool.commands["up"], cwd=folder, env=env), work, tool, "up")
        for number in range(work.previews + 1):
            sample = measure.run(tool.commands["preview"], cwd=folder, env=env)
            if number:
                yield "preview", done(sample, work, tool, "preview")
        yield "destroy", done(measure.run(tool.commands["destroy"], cwd=folder, env=env), work, tool, "destroy")
        gone = True
    finally:
        if not gone:
            cluster.delete_namespace(kubeconfig, work.shape.namespace)
        shutil.rmtree(folder, ignore_errors=True)


def done(sample: Sample, work: Work, tool: Tool, verb: Verb) -> Sample:
    """The sample, when all of the work was done. Raises Failed: a figure for less would be a wrong one."""
    took = f"{sample.seconds:.2f} s, {sample.cpu_seconds:.2f} s of processor"
    say(f"{work.key} {verb} {tool.name}: {took}, {sample.peaks}")
    if "tests.bench.drive" in tool.commands[verb]:
        word = {"up": "create", "preview": "same", "destroy": "delete"}[verb]
        expected = f'{{"{word}": {work.shape.resources - 1}}}'
        if expected not in sample.out:
            raise measure.Failed(f"{verb} by {tool.name}: {sample.out.strip()[-500:]}, expected {expected}")
    if verb == "preview" and tool.name == "pulumi" and '"same":' not in sample.out.replace(" ", ""):
        raise measure.Failed(f"preview by pulumi shows changes: {sample.out[-500:]}")
    return sample


def row(work: str, tool: str, resources: int, samples: Sequence[Sample]) -> Row:
    peaks = {role: max(one.peaks.get(role, 0.0) for one in samples) for role in sorted(_roles(samples))}
    return Row(
        work,
        tool,
        resources,
        round(statistics.median(one.seconds for one in samples), 3),
        len(samples),
        max(one.peak_mb for one in samples),
        round(statistics.median(one.cpu_seconds for one in samples), 2),
        peaks,
    )


def _roles(samples: Iterable[Sample]) -> set[str]:
    return {role for one in samples for role in one.peaks}


def say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def from_json(entry: dict[str, Any]) -> Row:
    return Row(**entry)
