"""The tools that are measured side by side, each as the commands that do one piece of work on a synthetic project."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cli.engine import binary, environ
from cli.progress import for_terminal
from tests.bench import cluster
from tests.bench.drive import STACK

Verb = Literal["up", "preview", "destroy"]
PLUGIN, HOST = "pulumi-resource-kubernetes", "pulumi-language-python"
WITH = "TURNOUT_BENCH_PATH"
"""A folder with the official plugin and the Python language host, put before PATH for the tools that need them."""


@dataclass(frozen=True)
class Tool:
    """One way to bring a project up, look at it, and take it down. Exit codes in `fine` are no failure of a preview."""

    name: str
    commands: Mapping[Verb, list[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    fine: tuple[int, ...] = (0,)
    first: tuple[list[str], ...] = ()
    """What has to be done once, unmeasured, in a new project."""


def available(project: Path, kubeconfig: Path) -> tuple[list[Tool], list[str]]:
    """The tools that this machine has, and for each that it lacks why."""
    base = {"KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(Path(__file__).parents[2])}
    path = os.pathsep.join(filter(None, [os.environ.get(WITH), os.environ.get("PATH", "")]))
    tools = [_turnout("turnout", base | {"TURNOUT_PROVIDER": "own"}), _kubectl(base)]
    missing = []
    plugin, host = shutil.which(PLUGIN, path=path), shutil.which(HOST, path=path)
    if plugin:
        tools.insert(1, _turnout("official", base | {"TURNOUT_PROVIDER": "official", "PATH": path}))
    else:
        missing.append(f"official: the official plugin ({PLUGIN}) is not on PATH or in {WITH}")
    if plugin and host:
        tools.insert(2, _pulumi(project, base | {"PATH": path}))
    elif plugin:
        missing.append(f"pulumi: its Python language host ({HOST}) is not on PATH or in {WITH}")
    else:
        missing.append("pulumi: needs the official plugin, too")
    return tools, missing


def _turnout(name: str, env: Mapping[str, str]) -> Tool:
    verbs: tuple[Verb, ...] = ("up", "preview", "destroy")
    return Tool(name, {verb: [sys.executable, "-m", "tests.bench.drive", verb] for verb in verbs}, env)


def _pulumi(project: Path, env: Mapping[str, str]) -> Tool:
    """The engine's own command with the program in a language host, as it is without turnout."""
    pulumi = str(binary.find(for_terminal(quiet=True)).path)
    variables = {
        environ.BACKEND: f"file://{environ.state_folder(project)}",
        environ.PASSPHRASE_FILE: str(environ.passphrase_file(project)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_HOME": str(project / "home"),
    }
    quiet = ["--stack", STACK, "--non-interactive"]
    apply = [*quiet, "--yes", "--skip-preview"]
    commands: Mapping[Verb, list[str]] = {
        "up": [pulumi, "up", *apply],
        "preview": [pulumi, "preview", "--json", *quiet],
        "destroy": [pulumi, "destroy", *apply],
    }
    return Tool("pulumi", commands, {**env, **variables}, first=([pulumi, "stack", "init", STACK],))


def _kubectl(env: Mapping[str, str]) -> Tool:
    kubectl, file = cluster.kubectl(), "--filename=objects.json"
    commands: Mapping[Verb, list[str]] = {
        "up": [kubectl, "apply", "--server-side", file],
        "preview": [kubectl, "diff", "--server-side", file],
        "destroy": [kubectl, "delete", "--wait", file],
    }
    return Tool("kubectl", commands, env)
