"""`main: infra` is found and complete where turnout is not installed: plain `pulumi up` on a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from cli import paths
from infra import cluster

ROOT = Path(__file__).parents[3]

# As Pulumi's language host does it, with no stack's settings, in an interpreter without the editable installation.
RUN = """
import runpy, sys
sys.path = [path for path in sys.path if path not in ("", {root!r})]
sys.path.insert(0, {program!r})
runpy.run_path({program!r}, run_name="__main__")
"""


def test_the_program_finds_the_components_and_names_every_fault(tmp_path: Path) -> None:
    code = RUN.format(root=str(ROOT), program=str(ROOT / "infra"))
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" not in ran.stderr
    assert "pulumi.errors.RunError: Pulumi.stack.yaml: turnout:app.image: required, but missing" in ran.stderr


def test_the_project_file_names_program_and_virtual_environment() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert (project["name"], project["main"]) == ("turnout", "infra")
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}


def test_infra_and_the_command_agree_on_where_a_sandbox_is() -> None:
    assert cluster.sandbox_kubeconfig("main") == paths.sandbox_kubeconfig("main")
