"""Previews of the demo's environment with nothing changed, each tool in turn. Needs what `make demo` leaves."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli import paths
from cli.demo.project import ENVIRONMENT, SANDBOX
from cli.engine import binary, environ
from cli.engine.attach import Attachment
from cli.engine.render import render
from cli.progress import for_terminal
from tests.bench import cluster, measure
from tests.bench.cluster import COMMAND
from tests.bench.tools import HOST, PLUGIN, WITH
from tests.bench.works import Row, row, say

WORK = "dev: preview, nothing changed"


@dataclass(frozen=True)
class Contender:
    tool: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    fine: tuple[int, ...] = (0,)


def measured(checkout: Path, runs: int) -> Iterator[Row]:
    """The rows; none, with the reason said, where there is no demo."""
    project = paths.work_dir(checkout) / "demo"
    if not (project / "cluster").exists() or not paths.sandbox_kubeconfig(SANDBOX).exists():
        say("left out: the dev environment: there is none; next: make demo")
        return
    objects = _objects(project)
    with Attachment({**os.environ, "TURNOUT_PROVIDER": "own"}) as provider:
        yield from in_turn(list(_contenders(project, objects, provider)), project, len(objects), runs)


def in_turn(contenders: list[Contender], project: Path, resources: int, runs: int, work: str = WORK) -> Iterator[Row]:
    """One round that does not count, then `runs` that do, A B A B: a machine whose speed drifts favours nobody."""
    samples: dict[str, list[measure.Sample]] = {one.tool: [] for one in contenders}
    for number in range(runs + 1):
        for one in contenders:
            sample = measure.run(one.command, cwd=project, env=one.env, fine=one.fine)
            if number:
                samples[one.tool].append(sample)
    for one in contenders:
        yield row(work, one.tool, resources, samples[one.tool])


def _contenders(project: Path, objects: list[dict[str, object]], provider: Attachment) -> Iterator[Contender]:
    path = os.pathsep.join(filter(None, [os.environ.get(WITH), os.environ.get("PATH", "")]))
    yield Contender("turnout", [COMMAND, "preview", ENVIRONMENT], {"TURNOUT_PROVIDER": "own"})
    official = bool(shutil.which(PLUGIN, path=path))
    if official:
        env = {"TURNOUT_PROVIDER": "official", "PATH": path}
        yield Contender("official", [COMMAND, "preview", ENVIRONMENT], env)
    else:
        say(f"left out: official: {PLUGIN} is not on PATH or in {WITH}")
    if shutil.which(HOST, path=path):
        yield _plain_pulumi(project, path, {} if official else provider.variables())
    else:
        say(f"left out: pulumi: {HOST} is not on PATH or in {WITH}")
    yield _kubectl_diff(project, objects)


def _plain_pulumi(project: Path, path: str, provider: dict[str, str]) -> Contender:
    pulumi = str(binary.find(for_terminal(quiet=True)).path)
    command = [pulumi, "preview", "--stack", ENVIRONMENT, "--non-interactive"]
    state = {environ.BACKEND: environ.backend(project, dict(os.environ))}
    secrets = {environ.PASSPHRASE_FILE: str(environ.passphrase_file(project))}
    return Contender("pulumi", command, {**state, **secrets, **provider, "PATH": path})


def _objects(project: Path) -> list[dict[str, object]]:
    """The environment's objects as kubectl wants them, without Secrets: theirs are placeholders in a render."""
    found = [one.reveal() for one in render(project, ENVIRONMENT).resources if one.is_kubernetes]
    return [one for one in found if one.get("kind") != "Secret"]


def _kubectl_diff(project: Path, objects: list[dict[str, object]]) -> Contender:
    file = project / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    config = f"--kubeconfig={paths.sandbox_kubeconfig(SANDBOX)}"
    command = [cluster.kubectl(), config, "diff", "--server-side", "--force-conflicts", f"--filename={file}"]
    return Contender("kubectl", command, fine=(0, 1))
