"""Plain `pulumi` in the same checkout does the same work on the same state, where its Python language host is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cli.engine import attach, binary, environ
from cli.engine.attach import Attachment
from cli.progress import Silent
from tests.harness import Environment

HOST = "pulumi-language-python"
pytestmark = [
    pytest.mark.pods,
    pytest.mark.skipif(not shutil.which(HOST), reason=f"Pulumi's Python language host ({HOST}) is not on PATH"),
]
LIMIT = 600.0


@dataclass(frozen=True)
class Pulumi:
    """The `pulumi` command in the environment's checkout, with the variables that docs/plain-pulumi.md names."""

    environment: Environment
    variables: dict[str, str]

    def run(self, verb: str, *words: str) -> str:
        command = [str(binary.find(Silent()).path), verb, "--stack", "dev", "--non-interactive", *words]
        folder = self.environment.project.folder
        done = subprocess.run(
            command, cwd=folder, env=self.variables, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def preview(self) -> dict[str, int]:
        """How many resources each operation would touch."""
        summary: dict[str, int] = json.loads(self.run("preview", "--json"))["changeSummary"]
        return summary

    def up(self) -> None:
        self.run("up", "--yes", "--skip-preview")


@pytest.fixture(params=["own", "official"])
def pulumi(request: pytest.FixtureRequest, dev: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulumi]:
    """With turnout's own provider attached, and with the official plugin where that is installed."""
    if request.param == "official" and not attach.official_version(dict(os.environ)):
        pytest.skip("the official kubernetes plugin is neither in the Pulumi home nor on PATH")
    monkeypatch.setenv("TURNOUT_PROVIDER", request.param)
    folder = dev.project.folder
    variables = {
        **os.environ,
        environ.BACKEND: environ.backend(folder, dict(os.environ)),
        environ.PASSPHRASE_FILE: str(environ.passphrase_file(folder)),
    }
    with Attachment() as provider:
        yield Pulumi(dev, variables | provider.variables())


def test_a_plain_preview_after_turnout_up_shows_no_change(pulumi: Pulumi) -> None:
    assert set(pulumi.preview()) == {"same"}


def test_what_plain_up_applied_is_no_change_for_turnout_and_back(pulumi: Pulumi) -> None:
    dev = pulumi.environment
    try:
        dev.project.edit(lambda document: workers(document)["runner"].update({"env": {"PLAIN": "yes"}}))
        assert dev.json("preview", "dev")["environments"][0]["counts"].get("update") == pulumi.preview().get("update")
        pulumi.up()
        assert variable(dev, "PLAIN") == "yes"
        assert changes(dev) == []
    finally:
        dev.project.edit(lambda document: workers(document)["runner"].pop("env", None))
        dev.turnout("up", "dev", "--yes")
    assert variable(dev, "PLAIN") is None
    assert set(pulumi.preview()) == {"same"}


def test_plain_up_with_nothing_changed_touches_nothing(pulumi: Pulumi) -> None:
    dev = pulumi.environment
    before = dev.kube.get("apps/v1", "Deployment", "api-a", "dev")["metadata"]["resourceVersion"]
    pulumi.up()
    assert dev.kube.get("apps/v1", "Deployment", "api-a", "dev")["metadata"]["resourceVersion"] == before
    assert changes(dev) == []


def workers(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["config"]["turnout:app"]["workers"]
    return found


def changes(dev: Environment) -> list[Any]:
    found: list[Any] = dev.json("preview", "dev")["environments"][0]["changes"]
    return found


def variable(dev: Environment, name: str) -> str | None:
    """An environment variable of the worker, as the cluster has it."""
    workload = dev.kube.get("apps/v1", "Deployment", "runner-a", "dev")
    [container] = workload["spec"]["template"]["spec"]["containers"]
    return next((row.get("value") for row in container.get("env", []) if row["name"] == name), None)
