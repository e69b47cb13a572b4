"""What one environment runs, put into another's settings file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import context
from cli.commands import promote
from cli.errors import TurnoutError
from cli.rollout.promotion import Image, of_release
from cli.rollout.records import Record, Workload

ROOT = Path(__file__).resolve().parents[3]
DIGEST = f"sha256:{'2' * 64}"
IMAGE = Image("registry.example:5000/team/agents", "1.1.0", DIGEST)


def record(*images: str) -> Record:
    return Record(
        "r", "staging", (), tuple(Workload(f"w{n}", "Deployment", "s", "w", (i,)) for n, i in enumerate(images))
    )


def test_the_image_is_taken_apart() -> None:
    reference = f"registry.example:5000/team/agents:1.1.0@{DIGEST}"
    assert of_release(record(reference, reference)) == IMAGE


@pytest.mark.parametrize(
    ("images", "what"),
    [
        (("a/b:1",), "names no digest"),
        ((f"a/b:1@{DIGEST}", f"a/c:1@{DIGEST}"), "does not run one image"),
        ((), "does not run one image"),
    ],
)
def test_what_cannot_be_promoted_is_refused(images: tuple[str, ...], what: str) -> None:
    with pytest.raises(TurnoutError, match=what) as raised:
        of_release(record(*images))
    assert raised.value.next


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path / file.name)
    monkeypatch.setattr(promote, "_served", lambda _: IMAGE)
    monkeypatch.setattr(context, "_chosen", tmp_path)
    return tmp_path


def run(*words: str) -> Any:
    done = CliRunner().invoke(promote.app, ["staging", "prod", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_only_the_image_changes_and_comments_stay(folder: Path) -> None:
    before = (ROOT / "Pulumi.prod.yaml").read_text().splitlines()
    said = run()
    after = (folder / "Pulumi.prod.yaml").read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [line.split(" #")[0].strip() for line in changed] == [
        f"image: {IMAGE.repository}",
        "version: 1.1.0",
        f"digest: {DIGEST}",
    ]
    assert changed[-1].endswith("# of your own image")
    assert "+    version: 1.1.0" in said
    assert "next: turnout preview prod, then commit Pulumi.prod.yaml" in said


@pytest.mark.usefixtures("folder")
def test_a_second_time_changes_nothing() -> None:
    run()
    assert json.loads(run("--json"))["changed"] is False


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    assert "+    version: 1.1.0" in run("--dry-run")
    assert (folder / "Pulumi.prod.yaml").read_text() == (ROOT / "Pulumi.prod.yaml").read_text()
