"""A small environment for rollouts under load: one service and Redis, so that the processors are the traffic's."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.demo.project import NEW, OLD, PROGRAM, UNPROTECTED, link
from cli.demo.traffic import Service, Traffic
from cli.engine import environ
from cli.kube.client import Kube, connect
from cli.paths import sandbox_kubeconfig
from cli.progress import Progress
from cli.rollout.where import from_settings
from cli.sandbox import cluster as sandboxes
from cli.sandbox import images
from components.workload.spec import Strategy
from tests.harness import COMMAND, ROOT, Load

SERVICE = "api"
RATE, LONGEST, SOCKETS = 250, 3600, 8
THIRD = "1.2.0"
LIMIT = 600.0
"""Seconds that a command may take."""
MONITORING = ("prometheus", "alertmanager", "grafana", "loki", "collector", "node-exporter")
OFF = {"enabled": False}
INTERVAL = 10
"""Seconds between two looks of the gates."""


@dataclass(frozen=True)
class Shape:
    """What the settings say of the service."""

    version: str = OLD
    strategy: Strategy = "rolling"
    replicas: int = 4
    steps: tuple[int, ...] = (25, 50)
    soak: int = 2
    warm: int = 60
    protected: bool = True
    env: tuple[tuple[str, str], ...] = ()
    gates: bool = False
    """Whether Prometheus is there to be asked, and the new track is compared with the old one."""

    def to_settings(self, sandbox: str) -> dict[str, Any]:
        """The settings file."""
        rollout = {"strategy": self.strategy, "steps": list(self.steps), "soak": self.soak, "warm": self.warm}
        service = {"replicas": self.replicas, "public": True, "calls": ["redis"], "rollout": rollout}
        if self.env:
            service["env"] = dict(self.env)
        if not self.protected:
            service |= UNPROTECTED
        app = {"image": "agents", "version": self.version, "services": {SERVICE: service}}
        sections = {"cluster": {"tier": "dev", "sandbox": sandbox}, "app": app, "postgres": OFF}
        sections |= dict.fromkeys(MONITORING, OFF)
        if self.gates:
            sections |= {"prometheus": {}, "rollout": {"baseline": True, "interval": INTERVAL}}
        return {f"turnout:{name}": section for name, section in sections.items()}


SMALL = Shape()


@dataclass(frozen=True)
class Ran:
    """A command that has ended. `began` and `ended` are seconds of the wall clock: Enter was pressed at `began`."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    began: float
    ended: float

    def __str__(self) -> str:
        took = self.ended - self.began
        return f"{' '.join(self.words)}: exit {self.code} after {took:.1f} s\n{self.err}{self.out}"


class Unexpected(Exception):
    """A command ended otherwise than it should have; says all that it printed."""


class Place:
    """The environment's checkout, the commands in it, and the cluster behind it."""

    def __init__(self, folder: Path, environment: str, sandbox: str) -> None:
        self.folder, self.environment, self.sandbox = folder, environment, sandbox
        self.kubeconfig = sandbox_kubeconfig(sandbox)
        self.kube: Kube = connect(from_settings({"sandbox": sandbox}))
        self.shape = SMALL
        folder.mkdir(parents=True, exist_ok=True)
        for program in PROGRAM:
            link(folder / program, ROOT / program)
        (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
        self.variables = {**os.environ, environ.BACKEND: f"file://{folder}/.turnout/state"}

    def another(self, folder: Path, shape: Shape) -> Place:
        """A second checkout of the same environment, on the same state, whose settings say something else."""
        other = Place(folder, self.environment, self.sandbox)
        other.variables = {**self.variables, environ.PASSPHRASE_FILE: str(environ.passphrase_file(self.folder))}
        other.settings.write_text(self.settings.read_text())
        other.describe(shape)
        return other

    @property
    def settings(self) -> Path:
        return self.folder / f"Pulumi.{self.environment}.yaml"

    def describe(self, shape: Shape) -> None:
        """Write the settings; what the engine keeps there (encryption, secrets) stays."""
        self.shape = shape
        known = yaml.safe_load(self.settings.read_text()) if self.settings.exists() else {}
        secrets = {key: value for key, value in known.get("config", {}).items() if key == "turnout:redis"}
        known["config"] = {**shape.to_settings(self.sandbox), **secrets}
        self.settings.write_text(yaml.safe_dump(known, sort_keys=False))

    def start(self, *words: str) -> Under:
        return Under((COMMAND, *words), self.folder, self.variables)

    def turnout(self, *words: str, expect: int = 0) -> Ran:
        """Run a command to its end. Raises Unexpected when it ends with another code."""
        return self.start(*words).done(expect)

    def json(self, *words: str) -> Any:
        return json.loads(self.turnout(*words, "--json").out)

    def kubectl(self, program: str, *words: str) -> Ran:
        began = time.time()
        command = [program, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.environment}", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        ran = Ran(("kubectl", *words), done.returncode, done.stdout, done.stderr, began, time.time())
        if ran.code:
            raise Unexpected(str(ran))
        return ran

    def service(self) -> Service:
        spec = self.kube.get("v1", "Service", SERVICE, self.environment)["spec"]
        return Service(spec["clusterIP"], spec["ports"][0]["port"])

    @contextmanager
    def load(self, name: str, *, at_least: int = 0) -> Iterator[Load]:
        """Open-loop load of at least that many requests for the length of the block, WebSocket connections too."""
        out = self.folder / f"{name}.json"
        traffic = Traffic(self.service(), out, rate=RATE, longest=LONGEST, sockets=SOCKETS)
        result = Load(renew=traffic.renew)
        try:
            traffic.start()
            yield result
            result.counted, result.served = traffic.stop(at_least=at_least)
        finally:
            traffic.abandon()


class Under:
    """A command under way: `words` are the program and what it is told."""

    def __init__(self, words: tuple[str, ...], folder: Path, variables: Mapping[str, str]) -> None:
        self.words = words
        self._files = [folder / f"command-{time.monotonic_ns()}.{end}" for end in ("out", "err")]
        with self._files[0].open("w") as out, self._files[1].open("w") as err:
            self.began = time.time()
            self.process = subprocess.Popen(
                words, cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def done(self, *expect: int) -> Ran:
        """Wait for its end. Raises Unexpected when it ends with a code that is not expected (0 unless said)."""
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        ended = time.time()
        out, err = (file.read_text() for file in self._files)
        for file in self._files:
            file.unlink()
        ran = Ran(("turnout", *self.words[1:]), code, out, err, self.began, ended)
        if code not in (expect or (0,)):
            raise Unexpected(str(ran))
        return ran


@contextmanager
def place(
    folder: Path, environment: str, sandbox: str, progress: Progress, shape: Shape = SMALL, variants: Sequence[str] = ()
) -> Iterator[Place]:
    """An environment that serves the old version; taken down at the end, however that comes.

    `variants` of the app's third version are built too (`-errors`, `-slow`, …).
    """
    sandboxes.load_images(sandbox, app_images(progress, *variants, monitored=shape.gates), progress)
    one = Place(folder, environment, sandbox)
    one.describe(shape)
    try:
        one.turnout("init", environment)
        one.turnout("up", environment, "--yes")
        yield one
    finally:
        one.start("destroy", environment, "--yes").done(*range(256))
        one.kube.delete("v1", "Namespace", f"turnout-{environment}")
        one.kube.close()


def app_images(progress: Progress, *variants: str, monitored: bool = False) -> list[images.Image]:
    """What the environment runs: the app's two versions, `variants` of a third one, Redis, and Prometheus if wanted."""
    source = ROOT / "examples" / "agents"
    app = [images.app_image(source, version, "", progress) for version in (OLD, NEW)]
    app += [images.app_image(source, THIRD, variant, progress) for variant in variants]
    others = ("pause", "coredns", "redis", *(("prometheus",) if monitored else ()))
    return [*app, *images.ensure(others, progress)]
