"""A project of the corpus's own: a git repository with the program's code and the three environments' settings."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.yamlfile import YamlFile
from tests.harness import COMMAND, ROOT

LIMIT: Final = 600.0
"""Seconds after which a command hangs."""
_CODE: Final = ("infra", "components", "runbooks")
_AS_ANYBODY: Final = ("-c", "user.name=corpus", "-c", "user.email=corpus@example.com", "-c", "commit.gpgsign=false")
_QUICK: Final = {"settle": 1, "drain": {"pause": 0, "longest_request": 5}}
"""Nobody asks the pods anything, so a new one need not be watched, nor an old one waited for."""


@dataclass
class Place:
    """One environment of the project."""

    folder: Path
    environment: str

    @classmethod
    def of(cls, folder: Path, environment: str, sandbox: str) -> Place:
        """A fresh project whose environment lives in that sandbox, committed."""
        folder.mkdir(parents=True)
        for name in _CODE:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        settings = f"Pulumi.{environment}.yaml"
        for name in ("Pulumi.yaml", settings):
            shutil.copy(ROOT / name, folder / name)
        (folder / ".gitignore").write_text(".turnout/\n__pycache__/\n")
        (folder / "passphrase").write_text(secrets.token_hex(16))
        place = cls(folder, environment)
        place._settle_in(YamlFile(folder / settings), sandbox)
        place._git("init", "--quiet")
        place.turnout("init", environment)
        place.commit("first")
        return place

    def commit(self, message: str) -> None:
        self._git("add", "infra", "components", "Pulumi.yaml", f"Pulumi.{self.environment}.yaml")
        self._git("commit", "--quiet", "--allow-empty", "-m", message)

    def preview(self, *words: str) -> dict[str, Any]:
        """The one environment of a preview's document."""
        document = json.loads(self.turnout("preview", *words, self.environment, "--json"))
        found: dict[str, Any] = document["environments"][0]
        return found

    def up(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.turnout("up", self.environment, "--yes", "--json", "--in-place"))
        return found

    def state(self) -> dict[str, dict[str, Any]]:
        """Every Kubernetes object that the state holds, by URN."""
        [file] = (self.folder / ".turnout" / "state").rglob(f"stacks/*/{self.environment}.json")
        resources = json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])
        return {each["urn"]: each for each in resources if each["type"].startswith("kubernetes:")}

    def turnout(self, *words: str) -> str:
        """What the command says; raises with all that it printed when it does not end with 0."""
        done = subprocess.run(
            [COMMAND, *words], cwd=self.folder, env=self._variables(), capture_output=True, text=True, timeout=LIMIT
        )
        if done.returncode:
            raise AssertionError(
                f"turnout {' '.join(words)}: exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr}"
            )
        return done.stdout

    def _settle_in(self, file: YamlFile, sandbox: str) -> None:
        config = file.document["config"]
        config["turnout:cluster"] = {"sandbox": sandbox}
        for part in ("services", "workers"):
            for described in config["turnout:app"].get(part, {}).values():
                described.update(_QUICK if part == "services" else {"settle": 1})
        file.save()

    def _variables(self) -> dict[str, str]:
        """The environment of a command that takes the program from this folder, and nothing from its caller."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "TURNOUT_"))}
        passphrase = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(self.folder / "passphrase")}
        return {**kept, **passphrase, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *_AS_ANYBODY, *words], cwd=self.folder, check=True, timeout=LIMIT, capture_output=True)
