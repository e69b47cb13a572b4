"""Which images there are, what is in them, and when they are made anew."""

from __future__ import annotations

import json
import os
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.progress import Progress, Silent
from cli.sandbox import build, images, recipes, toolchain
from cli.sandbox.oci import File
from cli.sandbox.recipes import Recipe
from cli.sandbox.toolchain import Go
from components import versions

every_recipe = pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: recipe.name)


@pytest.fixture
def binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build that always has everything, in a folder that stands for the key."""
    folder = tmp_path / "part-1"
    folder.mkdir()

    def ensure(names: Sequence[str], progress: Progress) -> dict[str, Path]:  # noqa: ARG001
        for name in names:
            (folder / name).write_text(f"{name} in {folder.name}")
        return {name: folder / name for name in names}

    monkeypatch.setenv("TURNOUT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "ensure", ensure)
    monkeypatch.setattr(toolchain, "find", lambda _: Go(Path("go"), "go1.26.9", "linux/amd64"))
    return folder


@every_recipe
def test_no_image_runs_as_root_and_the_user_can_be_looked_up(recipe: Recipe) -> None:
    user, _, group = recipe.config.user.partition(":")
    assert int(user) > 0
    assert int(group) > 0
    passwd = next(entry for entry in recipes.base(recipe.config.user) if entry.path == "etc/passwd")
    assert isinstance(passwd, File)
    assert isinstance(passwd.content, bytes)
    assert f":{user}:{group}:" in passwd.content.decode()


@pytest.mark.usefixtures("binaries")
def test_an_image_is_made_once() -> None:
    [first] = images.ensure(["coredns"], Silent())
    made = first.archive.stat().st_ino
    [second] = images.ensure(["coredns"], Silent())
    assert second == first
    assert second.archive.stat().st_ino == made
    assert first.ref == f"turnout.local/coredns:{versions.COREDNS}"
    assert first.size == first.archive.stat().st_size
    assert json.loads(first.archive.with_suffix(".json").read_text())["digest"] == first.digest


def test_another_binary_makes_another_image(binaries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [first] = images.ensure(["coredns"], Silent())
    newer = binaries.rename(binaries.with_name("part-2"))
    monkeypatch.setattr(build, "ensure", lambda names, _: {name: newer / name for name in names})
    (newer / "coredns").write_text("newer")
    [second] = images.ensure(["coredns"], Silent())
    assert second.archive != first.archive
    assert second.digest != first.digest


def test_the_two_last_used_archives_of_an_image_are_kept(binaries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [other] = images.ensure(["pause"], Silent())
    made = []
    for number in range(2, 5):
        newer = binaries.with_name(f"part-{number}")
        newer.mkdir()
        (newer / "coredns").write_text(str(number))
        monkeypatch.setattr(build, "ensure", lambda _names, _progress, folder=newer: {"coredns": folder / "coredns"})
        made += images.ensure(["coredns"], Silent())
        for age, image in enumerate(reversed(made), start=10):
            if image.archive.exists():
                os.utime(image.archive, (time.time() - age, time.time() - age))
    assert [image.archive.exists() for image in made] == [False, True, True]
    assert [image.archive.with_suffix(".json").exists() for image in made] == [False, True, True]
    assert other.archive.exists()


@pytest.mark.usefixtures("binaries")
def test_an_archive_that_was_deleted_is_made_anew() -> None:
    [first] = images.ensure(["pause"], Silent())
    first.archive.unlink()
    [second] = images.ensure(["pause"], Silent())
    assert second == first
    assert second.archive.is_file()


@pytest.mark.usefixtures("binaries")
def test_images_come_in_the_order_asked_for() -> None:
    found = images.ensure(["prometheus", "pause"], Silent())
    assert [image.ref for image in found] == [
        f"turnout.local/prometheus:{versions.PROMETHEUS}",
        "turnout.local/pause:1",
    ]


@pytest.mark.usefixtures("binaries")
def test_an_unknown_image_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="grafana"):
        images.ensure(["grafana"], Silent())


@pytest.mark.usefixtures("binaries")
@pytest.mark.parametrize("tag", ["", "1 2", "-x", "../up"])
def test_a_tag_that_no_image_can_have_is_wrong_use(tag: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tag"):
        images.app_image(tmp_path, tag, "", Silent())


@pytest.fixture
def app(tmp_path: Path, binaries: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:  # noqa: ARG001
    """The calls of Go that build the sample app at `tmp_path/app`."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.go").write_text("package main\n")
    calls: list[list[str]] = []

    def run_go(arguments: list[str], *_: object) -> None:
        calls.append(arguments)
        Path(arguments[arguments.index("-o") + 1]).write_text("program")

    monkeypatch.setattr(build, "run_go", run_go)
    return calls


def test_the_sample_apps_version_is_its_tag(app: list[list[str]], tmp_path: Path) -> None:
    image = images.app_image(tmp_path / "app", "1.2.0", "broken", Silent())
    assert image.ref == "turnout.local/agents:1.2.0-broken"
    assert "-ldflags=-s -w -X main.version=1.2.0-broken" in app[0]
    with tarfile.open(image.archive) as archive:
        assert "index.json" in archive.getnames()


def test_the_sample_app_is_built_when_its_source_changes(app: list[list[str]], tmp_path: Path) -> None:
    source = tmp_path / "app"
    for _ in range(2):
        images.app_image(source, "1", "", Silent())
    assert len(app) == 1
    (source / "main_test.go").write_text("package main\n")
    (source / "README.md").write_text("words\n")
    images.app_image(source, "1", "", Silent())
    assert len(app) == 1
    (source / "main.go").write_text("package main // changed\n")
    images.app_image(source, "1", "", Silent())
    assert len(app) == 2
