"""A Pulumi project of its own for one lane of the soak, driven by the `turnout` command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.engine import binary, environ
from cli.progress import Silent
from tests.harness import COMMAND
from tests.soak.desired import Shape
from tests.soak.program import SHAPE_FILE

NAME = "soak"
LIMIT = 120.0
"""Seconds that a command may take. None of them takes a tenth of it."""

_PACKAGE = "from pkgutil import extend_path\n\n__path__ = extend_path(__path__, __name__)\n"
_PROGRAM = "from tests.soak.program import program\n\n__all__ = ['program']\n"
_SETTINGS = """\
config:
  turnout:cluster:
    tier: dev
    sandbox: {sandbox}
  turnout:app: {{image: agents, version: 1.0.0}}
"""


@dataclass(frozen=True)
class Done:
    """A command that has ended. `code` is negative for one that a signal ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    @property
    def crashed(self) -> bool:
        return "Traceback (most recent call last)" in self.err

    def told(self) -> str:
        return f"turnout {' '.join(self.words)}: exit {self.code} after {self.seconds:.1f} s\n{self.err}{self.out}"


class Command:
    """A `turnout` under way."""

    def __init__(self, words: tuple[str, ...], folder: Path, variables: Mapping[str, str]) -> None:
        self.words = words
        self.began = time.monotonic()
        self._files = [folder / f"last.{end}" for end in ("out", "err")]
        with self._files[0].open("w") as out, self._files[1].open("w") as err:
            self.process = subprocess.Popen(
                [COMMAND, *words], cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def done(self) -> Done:
        """Waits for its end; one that hangs is ended, and has the code of that signal."""
        if not self.ended_within(LIMIT):
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
        seconds = time.monotonic() - self.began
        out, err = (file.read_text(errors="replace") for file in self._files)
        return Done(self.words, self.process.returncode, out, err, seconds)


class Project:
    """The folder, and one environment in it."""

    def __init__(self, folder: Path, sandbox: str, environment: str, kubeconfig: str) -> None:
        self.folder, self.environment, self.namespace = folder, environment, environment
        self._variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))),
            "PULUMI_CONFIG_PASSPHRASE": "soak",
            "TURNOUT_PROVIDER": "own",
            environ.BACKEND: f"file://{folder}/.turnout/state",
        }
        (folder / "infra").mkdir(parents=True)
        files = {
            "Pulumi.yaml": f"name: {NAME}\nruntime: python\n",
            f"Pulumi.{environment}.yaml": _SETTINGS.format(sandbox=sandbox),
            "infra/__init__.py": _PACKAGE,
            "infra/program.py": _PROGRAM,
            "kubeconfig": kubeconfig,
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        self.ask_for(Shape())

    @property
    def control(self) -> str:
        return f"turnout-{self.environment}"

    def ask_for(self, shape: Shape) -> None:
        """What the program declares from now on."""
        document = {"shape": shape.to_json(), "namespace": self.namespace}
        (self.folder / SHAPE_FILE).write_text(json.dumps(document))

    def start(self, verb: str, *options: str) -> Command:
        return Command((verb, self.environment, *options), self.folder, self._variables)

    def run(self, verb: str, *options: str) -> Done:
        return self.start(verb, *options).done()

    def export(self) -> subprocess.CompletedProcess[str]:
        """`pulumi stack export`, as a plain Pulumi would be asked."""
        command = [str(binary.find(Silent()).path), "stack", "export", "--stack", self.environment, "--non-interactive"]
        variables = environ.variables(self.folder, self._variables)
        return subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, timeout=LIMIT, check=False
        )

    def state(self) -> dict[str, Any]:
        """The exported state; empty before there is one. Raises ValueError when it does not load."""
        if not self.state_file.exists() and not self.state_file.with_name(f"{self.state_file.name}.bak").exists():
            return {}
        exported = self.export()
        if exported.returncode != 0:
            raise ValueError(f"the state does not load: {exported.stderr}")
        found: dict[str, Any] = json.loads(exported.stdout)
        return found

    @property
    def state_file(self) -> Path:
        return self.folder / ".turnout/state/.pulumi/stacks" / NAME / f"{self.environment}.json"

    @property
    def locks(self) -> list[str]:
        """The state's lock files."""
        return [file.name for file in self._of_state("locks/organization").glob("*.json")]

    @property
    def folders(self) -> list[Path]:
        """Where the engine writes."""
        return [self.state_file.parent, *map(self._of_state, ("locks/organization", "history", "backups"))]

    def _of_state(self, part: str) -> Path:
        return self.state_file.parents[2] / part / NAME / self.environment
