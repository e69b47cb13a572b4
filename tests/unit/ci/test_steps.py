"""The step of the workflow that previews a pull request, run in a clone of this repository, and what it posts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.unit.ci.test_comment import Server, event, github, run, server

__all__ = ["event", "server"]

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/turnout-preview.yml").read_text())
STEPS = WORKFLOW["jobs"]["hermetic"]["steps"]
COMMENT = 65_536
"""Characters that GitHub takes."""


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """What a pull request is checked out as: one commit on top of the branch that it goes into."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this checkout has no history: git clone has one")
    clone = tmp_path / "clone"
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-C", str(clone))
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(clone)], check=True)
    settings = clone / "Pulumi.prod.yaml"
    settings.write_text(settings.read_text().replace("replicas: 4", "replicas: 6"))
    subprocess.run([*git, "commit", "-qam", "more runners"], check=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    return clone


def done(name: str, merged: Path) -> subprocess.CompletedProcess[str]:
    """The step whose name begins so, as a runner does it."""
    [step] = [one for one in STEPS if one.get("name", "").startswith(name)]
    base = WORKFLOW[True]["workflow_call"]["inputs"]["base"]["default"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(merged.parent), "BASE": base}
    command = ["bash", "-e", "-c", step["run"]]
    return subprocess.run(
        command, cwd=merged, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_pull_request_is_previewed_and_commented(server: Server, event: Path, merged: Path) -> None:
    previewed = done("Preview", merged)
    assert previewed.returncode == 0, previewed.stderr
    made = {file.name for file in (merged / "preview").iterdir()}
    assert made == {"comment.md", "preview.html", "preview.json", "junit.xml", "policy.sarif"}
    found = json.loads((merged / "preview/preview.json").read_text())["environments"]
    assert {one["environment"]: bool(one["changes"]) for one in found} == {"dev": False, "prod": True, "staging": False}
    assert run(merged / "preview/comment.md", github(server, event)) == "commented\n"
    [comment] = server.comments
    assert "replicas" in comment["body"]
    assert len(comment["body"]) < COMMENT


def test_a_pull_request_that_defines_a_setting_twice_or_takes_the_lock_out_fails(merged: Path) -> None:
    (merged / "preview").mkdir()
    assert (well := done("Validate", merged)).returncode == 0, well.stdout + well.stderr
    assert {file.name for file in (merged / "preview").iterdir()} == {"validate.xml", "validate.sarif"}

    more = merged / "cli/more.py"
    more.write_text('A = "turnout.dev/track"\n')
    assert (twice := done("Validate", merged)).returncode == 2
    assert "second-definition" in twice.stdout

    more.unlink()
    (merged / "SSOT_LOCK.yml").unlink()
    assert (gone := done("Validate", merged)).returncode == 2
    assert "SSOT_LOCK.yml: error: was taken out" in gone.stdout


def test_what_validation_finds_keeps_no_preview_from_being_commented() -> None:
    names = [step.get("name", "") for step in STEPS]
    assert names.index("Validate the settings") > names.index("Preview every environment")
    after = STEPS[names.index("Validate the settings") :]
    assert all("!cancelled()" in step["if"] for step in after) and "continue-on-error" not in after[0]
    jobs = yaml.safe_load((ROOT / ".gitlab/turnout.gitlab-ci.yml").read_text().split("\n---\n")[1])
    assert jobs["turnout:validate"]["rules"] == jobs["turnout:preview"]["rules"]
    assert [line for line in jobs["turnout:validate"]["script"] if ".venv/bin/turnout validate" in line]
