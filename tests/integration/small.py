"""A small project of a test's own, driven by the `turnout` command in processes of their own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.engine import environ
from cli.kube.client import Kube, connect
from cli.rollout.where import Cluster
from tests.harness import COMMAND

NAME = "small"
LIMIT = 180.0
"""Seconds after which a command hangs."""

_PACKAGE = "from pkgutil import extend_path\n\n__path__ = extend_path(__path__, __name__)\n"
_SETTINGS = """\
config:
  turnout:cluster: {{tier: dev, sandbox: {sandbox}}}
  turnout:app: {{image: agents, version: 1.0.0}}
"""
PROGRAM = """\
import json
import os
import time
from pathlib import Path

import pulumi

from cli.provider import VERSION


def program():
    shape = json.loads(Path("shape.json").read_text())
    Path("started").touch()
    time.sleep(shape["sleep"])
    space = shape["namespace"]
    cluster = pulumi.ProviderResource("kubernetes", "cluster", {"kubeconfig": str(Path("kubeconfig").absolute())})

    def make(kind, name, body, version="v1", after=()):
        metadata = {"name": name, "annotations": {"pulumi.com/patchFieldManager": "turnout"}}
        if kind != "Namespace":
            metadata["namespace"] = space
        manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        token = f"kubernetes:{version if '/' in version else 'core/v1'}:{kind}"
        options = pulumi.ResourceOptions(provider=cluster, depends_on=list(after), version=VERSION)
        return pulumi.CustomResource(token, f"{kind}-{name}", manifest, options)

    first = make("Namespace", space, {})
    for number in range(shape["maps"]):
        make("ConfigMap", f"map-{number}", {"data": {"mark": os.environ.get("MARK", "")}}, after=[first])
    if shape["never"]:
        labels = {"app": "never"}
        container = {"name": "never", "image": "nowhere.invalid/never:1"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        make("Deployment", "never", {"spec": spec}, "apps/v1", [first])
"""


class Small:
    """The project, one environment in it, and its cluster. `MARK` in a process's environment ends up in its maps."""

    def __init__(self, folder: Path, sandbox: str, kubeconfig: Path, kube: Kube, program: str) -> None:
        self.folder, self.kube = folder, kube
        self._started: list[subprocess.Popen[str]] = []
        self.environment = f"s{secrets.token_hex(3)}"
        self.variables = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PYTHONPATH": str(folder),
            "TURNOUT_PROVIDER": "own",
            environ.PASSPHRASE_FILE: str(folder / "passphrase"),
        }
        files = {
            "Pulumi.yaml": f"name: {NAME}\nruntime: python\n",
            f"Pulumi.{self.environment}.yaml": _SETTINGS.format(sandbox=sandbox),
            "infra/__init__.py": _PACKAGE,
            "infra/program.py": program,
            "kubeconfig": kubeconfig.read_text(),
            "passphrase": secrets.token_hex(16),
        }
        (folder / "infra").mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        self.ask_for()

    def ask_for(self, *, maps: int = 3, never: bool = False, sleep: float = 0) -> None:
        """What the program declares from now on, after `sleep` seconds; `never`: a Deployment that gets not ready."""
        shape = {"namespace": self.environment, "maps": maps, "never": never, "sleep": sleep}
        (self.folder / "shape.json").write_text(json.dumps(shape))

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """The command in a process group of its own, as a shell starts it."""
        return self.start_on(subprocess.DEVNULL, *words, **variables)

    def start_on(self, stdin: int, *words: str, **variables: str) -> subprocess.Popen[str]:
        """The same, with a terminal, say, to answer on."""
        process = subprocess.Popen(
            [COMMAND, *words],
            cwd=self.folder,
            env={**self.variables, **variables},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """Leaves no process behind."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def run(self, *words: str, expect: int | None = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """The command to its end. `expect`: the exit code; None: any."""
        process = self.start(*words, **variables)
        done = ended(process)
        said = f"turnout {' '.join(words)}: exit {done.returncode}, not {expect}\n{done.stdout}{done.stderr}"
        assert expect in (None, done.returncode), said
        return done

    @property
    def state_folder(self) -> Path:
        return self.folder / ".turnout/state/.pulumi"

    @property
    def locks(self) -> Path:
        return self.state_folder / "locks/organization" / NAME / self.environment

    def state(self) -> list[dict[str, Any]]:
        """The resources in the state, from its file."""
        text = (self.state_folder / "stacks" / NAME / f"{self.environment}.json").read_text()
        found: list[dict[str, Any]] = json.loads(text)["checkpoint"]["latest"].get("resources") or []
        return found

    def history(self) -> list[dict[str, Any]]:
        """What the engine did, oldest first."""
        folder = self.state_folder / "history" / NAME / self.environment
        return [json.loads(file.read_text()) for file in sorted(folder.glob("*.history.json"))]

    def maps(self) -> dict[str, str]:
        """Name and mark of each ConfigMap in the cluster that the program made."""
        rows = self.kube.list("v1", "ConfigMap", self.environment)
        return {
            row["metadata"]["name"]: row["data"]["mark"] for row in rows if row["metadata"]["name"].startswith("map-")
        }

    def maps_in_state(self) -> dict[str, str]:
        resources = [entry for entry in self.state() if entry["type"] == "kubernetes:core/v1:ConfigMap"]
        return {entry["inputs"]["metadata"]["name"]: entry["inputs"]["data"]["mark"] for entry in resources}


@contextmanager
def small(folder: Path, sandbox: str, kubeconfig: Path, program: str = PROGRAM) -> Iterator[Small]:
    """A project whose namespaces are gone at the end."""
    with connect(Cluster(kubeconfig, None)) as kube:
        project = Small(folder, sandbox, kubeconfig, kube, program)
        try:
            yield project
        finally:
            project.end()
            for name in (project.environment, f"turnout-{project.environment}"):
                kube.delete("v1", "Namespace", name)


def ended(process: subprocess.Popen[str], seconds: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """What a command said in the end; one that hangs is ended and fails the test."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"{process.args!r} did not end within {seconds} s\n{out}{err}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
