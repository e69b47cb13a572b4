"""The hermetic preview as a command: three environments between two commits, with nothing but git at hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UsageError
from cli.progress import Silent
from cli.review import checkout, hermetic
from tests.unit.review.repository import ENVIRONMENTS, Repository

TURNOUT = (sys.executable, "-m", "cli.main")
_PASSWORD = "  turnout:postgres:\n    password:\n      secure: {}\n"
_SALT = "encryptionsalt: v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
ONE, OTHER = "v1:b25lb25lb25l:b25lIG9uZSBvbmUgb25lIG9uZSBvbmU=", "v1:b3RoZXJvdGhl:b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI="


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


@cache
def _may_unshare() -> bool:
    command = shutil.which("unshare")
    return command is not None and subprocess.run([command, "-n", "true"], capture_output=True).returncode == 0


def _run(repository: Repository, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """In a fresh home, with no kubeconfig, passphrase or other variable of the caller's."""
    home = repository.root.parent / "home"
    home.mkdir(exist_ok=True)
    root = Path(__file__).resolve().parents[3]
    own = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(root), "NO_COLOR": "1"}
    command = [*before, *TURNOUT, "-C", str(repository.root), "preview", *arguments]
    return subprocess.run(command, env=own, capture_output=True, text=True, timeout=240)


def _document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    return {entry["environment"]: entry for entry in json.loads(done.stdout)["environments"]}


def _with_password(repository: Repository, ciphertext: str) -> None:
    for name in ENVIRONMENTS:
        path = repository.root / f"Pulumi.{name}.yaml"
        text = path.read_text().removeprefix(_SALT).partition("  turnout:postgres:")[0]
        path.write_text(_SALT + text + _PASSWORD.format(ciphertext))


def _changes(entry: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {f"{_kind(one)} {one['name']}": (one["operation"], one["certain"]) for one in entry["changes"]}


def _kind(change: dict[str, Any]) -> str:
    return str(change["type"]).rpartition(":")[2]


@pytest.mark.skipif(not _may_unshare(), reason="a network namespace needs root and unshare(1)")
def test_three_environments_between_two_commits_without_a_network(repository: Repository) -> None:
    _with_password(repository, ONE)
    base = repository.commit("base")
    _with_password(repository, OTHER)
    repository.edit("Pulumi.prod.yaml", "replicas: 4", "replicas: 5")
    repository.edit("Pulumi.staging.yaml", "public: true", "public: false")
    head = repository.commit("head")
    wall = ("unshare", "-n", "--")
    done = _run(repository, "--all", "--base", base, "--head", head, "--json", before=wall)
    assert done.returncode == 0, done.stderr
    found = _document(done)
    assert list(found) == list(ENVIRONMENTS)
    assert {entry["mode"] for entry in found.values()} == {"hermetic"}
    for name, entry in found.items():
        told = _changes(entry)
        assert told[f"Secret {name}/postgres-postgres-secret"] == ("replace", False)
        assert told[f"StatefulSet {name}/postgres"] == ("update", False)
        assert told[f"Deployment {name}/api"] == ("update", False)
    assert _changes(found["prod"])["Deployment prod/runner"] == ("update", True)
    assert _changes(found["staging"])["NetworkPolicy staging/api"] == ("update", True)
    assert {name for name, (_, certain) in _changes(found["prod"]).items() if certain} == {
        "Deployment prod/runner",
        "ConfigMap turnout-prod/release.0",
    }
    for word in (ONE, OTHER, "placeholder"):
        assert word not in done.stdout


def test_each_commit_is_rendered_by_its_own_code(repository: Repository) -> None:
    repository.edit("components/workload/pods.py", '"resources": _res', '"tty": True, "resources": _res')
    changes = {change.name: change for change in repository.preview(names=("dev",))["dev"].plan.changes}
    assert "spec.template.spec.containers.api.tty" in [field.path for field in changes["dev/api"].fields]


def test_a_plan_is_there_while_the_next_environment_is_rendered(repository: Repository, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    wait = f"""
    until = time.monotonic() + 60
    while settings.environment == "prod" and not Path({str(heard)!r}).exists():
        assert time.monotonic() < until, "nobody has seen the first plan"
"""
    repository.edit(
        "infra/program.py",
        "    environment = declare_environment(settings)\n",
        f"{wait}    environment = declare_environment(settings)\n",
    )
    repository.edit("infra/program.py", "import pulumi\n", "import time\nfrom pathlib import Path\nimport pulumi\n")
    plans = hermetic.plans(hermetic.between(repository.root, "HEAD", ""), ("dev", "prod"), Silent())
    assert next(plans).plan.environment == "dev"
    heard.touch()
    assert [(found.plan.environment, found.error) for found in plans] == [("prod", None)]


def test_wrong_settings_are_told_with_file_and_line_and_the_others_go_on(repository: Repository) -> None:
    repository.edit("Pulumi.staging.yaml", "calls:", "callz:")
    repository.edit("Pulumi.dev.yaml", "replicas: 3", "replicas: 2")
    done = _run(repository, "--all", "--base", "HEAD", "--json")
    assert done.returncode == 2
    found = _document(done)
    assert (
        "Pulumi.staging.yaml:12" in found["staging"]["failed"] and "did you mean 'calls'" in found["staging"]["failed"]
    )
    assert _changes(found["dev"])["Deployment dev/api"] == ("update", True)
    assert (found["prod"]["changes"], found["prod"]["failed"]) == ([], "")


def test_the_working_tree_is_named_where_it_is_the_head(repository: Repository) -> None:
    repository.edit("Pulumi.dev.yaml", "replicas: 3", "replicas: 2")
    sides = checkout.working_tree(repository.root)
    assert "working tree" in sides.label
    assert "Pulumi.dev.yaml" in sides.notes[0]


def test_an_environment_that_is_new_or_gone(repository: Repository) -> None:
    text = (repository.root / "Pulumi.dev.yaml").read_text()
    (repository.root / "Pulumi.anna.yaml").write_text(text.replace("sandbox: main", "sandbox: main\n    tier: dev"))
    (repository.root / "Pulumi.dev.yaml").unlink()
    found = repository.preview(names=("anna", "dev", "nobody"))
    assert {change.operation.value for change in found["anna"].plan.changes} == {"create"}
    assert found["dev"].plan.changes == () and "turnout destroy dev" in found["dev"].plan.diagnostics[0].message
    assert "no environment nobody" in str(found["nobody"].error)


def test_an_unknown_commit_names_the_next_command(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git fetch --all"):
        checkout.commit(repository.root, "nowhere")
    repository.git("remote", "add", "origin", "https://git.example.com/x")
    with pytest.raises(UsageError, match=r"git fetch origin \+main:refs/remotes/origin/main"):
        checkout.commit(repository.root, "origin/main")
    repository.commit("second")
    clone = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repository.root}", str(clone)], check=True)
    with pytest.raises(UsageError, match=r"shallow[\s\S]*git fetch --unshallow"):
        checkout.commit(clone, "HEAD~1")
    with pytest.raises(UsageError, match=r"git fetch --depth=1 origin \+other:refs/remotes/origin/other"):
        checkout.commit(clone, "origin/other")


def test_a_commit_of_another_layout_is_refused(repository: Repository) -> None:
    repository.git("rm", "-r", "-q", "infra")
    empty = repository.commit("no program")
    with pytest.raises(UsageError, match="cannot be rendered"):
        checkout.commit(repository.root, empty)


def test_a_base_that_is_ahead_is_warned_of(repository: Repository) -> None:
    repository.git("branch", "feature")
    ahead = repository.commit("main goes on")
    base, head = checkout.commit(repository.root, ahead), checkout.commit(repository.root, "feature")
    assert "1 commits" in checkout.behind(repository.root, base, head)[0]
    assert checkout.behind(repository.root, head, base) == ()


def test_a_commits_files_are_unpacked_once_and_cleaned_when_old(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNOUT_CACHE", str(tmp_path / "cache"))
    first = checkout.commit(repository.root, "HEAD")
    assert sorted(path.name for path in first.folder.iterdir()) == [
        *("Pulumi.dev.yaml", "Pulumi.prod.yaml", "Pulumi.staging.yaml", "Pulumi.yaml", "components", "infra")
    ]
    (first.folder / "kept").touch()
    assert (checkout.commit(repository.root, "HEAD").folder / "kept").exists()
    checkout.clean()
    assert first.folder.exists()
    checkout.clean(now=first.folder.stat().st_mtime + checkout.KEPT_SECONDS + 1)
    assert not first.folder.exists()
