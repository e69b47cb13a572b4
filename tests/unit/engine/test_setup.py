"""Which engine and which provider, and in which surroundings."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cli.engine import attach, binary, environ, failures, initialise
from cli.engine.run import Engine
from cli.engine.secrets import Crypter
from cli.errors import TurnoutError, UsageError
from cli.progress import Silent


@pytest.mark.parametrize(
    ("version", "fits"),
    [("3.259.0", True), ("3.300.1-dev", True), ("3.249.9", False), ("4.0.0", False), ("2.25.0", False), ("", False)],
)
def test_which_engines_fit(version: str, fits: bool) -> None:
    assert binary.fits(version) is fits


def fake_pulumi(folder: Path, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "pulumi"
    file.write_text(f"#!/bin/sh\necho asked >> {folder}/asked\necho v{version}\n")
    file.chmod(0o755)
    return file


def test_an_installed_engine_is_asked_for_its_version_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNOUT_CACHE", str(tmp_path / "cache"))
    file = fake_pulumi(tmp_path / "bin", "3.299.0")
    monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")
    assert {binary.find(Silent()) for _ in range(3)} == {binary.Binary(file, "3.299.0")}
    assert (file.parent / "asked").read_text() == "asked\n"


def test_an_engine_that_is_too_old_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNOUT_CACHE", str(tmp_path / "cache"))
    file = fake_pulumi(tmp_path / "bin", "3.100.0")
    monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")
    with pytest.raises(binary.UnfitEngine) as refused:
        binary.find(Silent())
    for word in (f"pulumi 3.100.0 at {file}", "from 3.250.0 on", "TURNOUT_ENGINE=own"):
        assert word in str(refused.value)
    own = binary.Binary(Path("/own/pulumi"), "3.259.0")
    monkeypatch.setattr(binary, "built", lambda _: own)
    monkeypatch.setenv("TURNOUT_ENGINE", "own")
    assert binary.find(Silent()) == own
    monkeypatch.setenv("TURNOUT_ENGINE", "mine")
    with pytest.raises(UsageError):
        binary.find(Silent())


def test_the_official_plugin_is_used_where_it_is_installed(tmp_path: Path) -> None:
    bare = {"PULUMI_HOME": str(tmp_path), "PATH": ""}
    assert attach.choose(bare) == "own"
    for version in ("4.9.0", "4.34.2"):
        (tmp_path / "plugins" / f"resource-kubernetes-v{version}").mkdir(parents=True)
    assert attach.choose(bare) == "official"
    assert attach.official_version(bare) == "4.34.2"
    assert attach.choose({**bare, "TURNOUT_PROVIDER": "own"}) == "own"
    with pytest.raises(UsageError):
        attach.choose({**bare, "TURNOUT_PROVIDER": "mine"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    return tmp_path


def test_state_is_a_folder_of_the_project_unless_somebody_says_otherwise(root: Path) -> None:
    assert environ.backend(root, {}) == f"file://{root}/.turnout/state"
    assert environ.backend(root, {"PULUMI_BACKEND_URL": "s3://b"}) == "s3://b"
    (root / "Pulumi.yaml").write_text("name: shop\nbackend:\n  url: gs://b\n")
    assert environ.backend(root, {}) == "gs://b"


def test_a_folder_of_state_is_written_without_sidecars_that_a_killed_engine_would_leave_broken(root: Path) -> None:
    def asked(url: str) -> str:
        return environ.variables(root, {"PULUMI_BACKEND_URL": url})["PULUMI_BACKEND_URL"]

    assert environ.variables(root, {})["PULUMI_BACKEND_URL"] == f"file://{root}/.turnout/state?metadata=skip"
    assert asked("file:///a?no_tmp_dir=false") == "file:///a?no_tmp_dir=false&metadata=skip"
    assert asked("file:///a?metadata=") == "file:///a?metadata="
    assert asked("s3://b") == "s3://b"


def test_the_users_pulumi_home_is_not_touched_where_nothing_of_it_is_needed(root: Path) -> None:
    own = {"TURNOUT_PROVIDER": "own", "PATH": ""}
    assert environ.variables(root, own)["PULUMI_HOME"] == f"{root}/.turnout/pulumi"
    assert "PULUMI_HOME" in environ.variables(root, {**own, "PULUMI_BACKEND_URL": "s3://b"})
    assert "PULUMI_HOME" not in environ.variables(root, {**own, "PULUMI_BACKEND_URL": "https://cloud.invalid"})
    assert environ.variables(root, {**own, "PULUMI_HOME": "/h"})["PULUMI_HOME"] == "/h"


def test_the_projects_passphrase_is_used_only_where_the_caller_has_none(root: Path) -> None:
    file = environ.passphrase_file(root)
    file.parent.mkdir()
    file.write_text("x")
    own = {"TURNOUT_PROVIDER": "own"}
    assert environ.variables(root, own)["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(file)
    given = environ.variables(root, {**own, "PULUMI_CONFIG_PASSPHRASE": ""})
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in given


SETTINGS = """\
# The development environment.
config:
  turnout:cluster:
    sandbox: main # on this machine
  turnout:app:
    image: agents
    version: 1.0.0
    services:
      api:
        calls: [tools]
        replicas: 3
      tools: {}
"""


@pytest.fixture
def project(root: Path) -> Path:
    (root / "infra").mkdir()
    (root / "Pulumi.dev.yaml").write_text(SETTINGS)
    return root


def test_init_writes_what_is_missing_encrypted_and_keeps_the_rest(project: Path) -> None:
    done = initialise.initialise(project, "dev", {})
    file = project / "Pulumi.dev.yaml"
    assert "turnout:postgres.password" in done.secrets
    assert all(line in file.read_text().splitlines() for line in SETTINGS.splitlines())
    assert done.passphrase_file is not None
    assert stat.S_IMODE(done.passphrase_file.stat().st_mode) == 0o600
    salt = next(line for line in file.read_text().splitlines() if line.startswith("encryptionsalt: "))
    words = done.passphrase_file.read_text().strip()
    crypter = Crypter(salt.removeprefix("encryptionsalt: "), words)
    sealed = [line.split()[1] for line in file.read_text().splitlines() if line.strip().startswith("secure:")]
    opened = {crypter.decrypt(text) for text in sealed}
    assert len(opened) == len(done.secrets)
    assert not any(secret in file.read_text() for secret in opened)


def test_the_salt_is_in_the_settings_before_the_engine_would_write_them_in_place(project: Path) -> None:
    file = project / "Pulumi.dev.yaml"
    initialise.give_salt(project, "dev", {})
    initialise.give_salt(project, "prdo", {"PULUMI_CONFIG_PASSPHRASE": "one"})
    assert file.read_text() == SETTINGS, "without a passphrase nothing is written"
    initialise.give_salt(project, "dev", {"PULUMI_CONFIG_PASSPHRASE": "one"})
    *same, salt = file.read_text().splitlines()
    assert same == SETTINGS.splitlines()
    assert Crypter(salt.removeprefix("encryptionsalt: "), "one")
    initialise.give_salt(project, "dev", {"PULUMI_CONFIG_PASSPHRASE": "two"})
    assert file.read_text().splitlines() == [*same, salt]
    file.write_text("secretsprovider: awskms://a\n")
    initialise.give_salt(project, "dev", {"PULUMI_CONFIG_PASSPHRASE": "one"})
    assert file.read_text() == "secretsprovider: awskms://a\n"


def test_init_again_changes_nothing(project: Path) -> None:
    initialise.initialise(project, "dev", {})
    before = (project / "Pulumi.dev.yaml").read_text()
    again = initialise.initialise(project, "dev", {})
    assert (again.secrets, again.passphrase_file) == ((), None)
    assert (project / "Pulumi.dev.yaml").read_text() == before


def test_init_refuses_a_passphrase_that_does_not_open_the_file(project: Path) -> None:
    initialise.initialise(project, "dev", {"PULUMI_CONFIG_PASSPHRASE": "one"})
    with pytest.raises(failures.WrongPassphrase):
        initialise.initialise(project, "dev", {"PULUMI_CONFIG_PASSPHRASE": "two"})


def test_no_state_is_made_for_an_environment_that_has_no_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: turnout\n")
    engine = Engine(tmp_path, "prdo", Silent())
    monkeypatch.setattr(engine, "_query", lambda *_: pytest.fail("the engine was asked to make it"))
    with pytest.raises(TurnoutError, match=r"Pulumi\.prdo\.yaml: there is no such file") as wrong:
        engine._ensure_stack(binary.Binary(Path("/own/pulumi"), "3.259.0"), {})
    assert wrong.value.exit_code == 2
