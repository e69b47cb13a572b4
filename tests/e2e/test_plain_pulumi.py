"""Plain `pulumi` in the same checkout does the same work on the same state, where its Python language host is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from cli.engine import binary, environ
from cli.engine.attach import Attachment
from cli.progress import Silent
from tests.harness import Environment

pytestmark = [
    pytest.mark.pods,
    pytest.mark.skipif(not shutil.which("pulumi-language-python"), reason="Pulumi's Python language host is not here"),
]


def test_a_plain_preview_after_turnout_up_shows_no_change(dev: Environment) -> None:
    with Attachment() as provider:
        variables = environ.variables(dev.project.folder, dict(os.environ)) | provider.variables()
        command = [str(binary.find(Silent()).path), "preview", "--stack", "dev", "--json", "--non-interactive"]
        done = subprocess.run(
            command, cwd=dev.project.folder, env=variables, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(json.loads(done.stdout)["changeSummary"]) == {"same"}
