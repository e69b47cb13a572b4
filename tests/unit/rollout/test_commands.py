"""The commands as users call them: help, wrong use, the cluster they mean, and what they must not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli import context
from cli.commands.rollout import _said, _wish
from cli.errors import UsageError
from cli.paths import sandbox_kubeconfig
from cli.rollout import checks, logs, where
from cli.rollout.drive import Rolled
from cli.rollout.targets import Wish

COMMANDS = ["rollout start", "rollout status", "rollout abort", "rollback", "status", "logs", "doctor"]


def turnout(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_json(command: str, tmp_path: Path) -> None:
    done = turnout(*command.split(), "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Example: turnout {command}" in " ".join(done.stdout.split())
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    ("failed", "said"), [(0, "9 requests probed, none was dropped"), (2, "9 requests probed, 2 of them dropped")]
)
def test_what_was_probed_is_told_as_it_was(failed: int, said: str) -> None:
    rolled = Rolled(None, 3, 1.0, "one", 4, probe={"sent": 9, "failed": failed})
    assert said in _said("dev", rolled)


PURE = {f"components{part}" for part in ("", ".environment", ".manifest", ".names", ".secret", ".tracks")}
"""What a rollback and the program share: plain data about objects."""


def test_rollback_imports_neither_pulumi_nor_the_program(tmp_path: Path) -> None:
    code = (
        "import sys, importlib\n"
        "for name in ('commands.rollback', 'rollout.rollback', 'rollout.show', 'rollout.where', 'kube.client'):\n"
        "    importlib.import_module('cli.' + name)\n"
        "print(*[name for name in sys.modules if name.split('.')[0] in ('pulumi', 'infra', 'components', 'grpc')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= PURE


def test_unreachable_cluster_is_an_error_with_a_next_command(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
    )
    done = turnout("rollback", "dev", "--yes", "--kubeconfig", str(config), cwd=tmp_path)
    assert done.returncode == 1
    assert "no answer from the API server" in done.stderr
    assert "next: " in done.stderr


def test_json_without_yes_is_wrong_use(tmp_path: Path) -> None:
    done = turnout("rollback", "dev", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert "turnout rollback dev --json --yes" in done.stderr


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_rollout_that_can_ask_nobody_is_wrong_use(tmp_path: Path, flags: list[str]) -> None:
    done = turnout("rollout", "start", "dev", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_cluster_is_read_from_the_settings_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  turnout:cluster: {sandbox: main}\n  turnout:app: [broken")
    monkeypatch.setattr(context, "_chosen", tmp_path)
    with pytest.raises(UsageError, match=r"Pulumi\.dev\.yaml is not YAML"):
        where.cluster("dev")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  turnout:cluster: {sandbox: main}\n  turnout:app: 7\n")
    assert where.cluster("dev").kubeconfig == sandbox_kubeconfig("main")
    assert where.cluster("dev", Path("other"), "ctx") == where.Cluster(Path("other"), "ctx")
    with pytest.raises(UsageError, match="environments here: dev"):
        where.cluster("prod")


def test_settings_name_a_kubeconfig_or_leave_it_to_kubectls_rules() -> None:
    assert where.from_settings({"kubeconfig": "/k", "context": "c"}) == where.Cluster(Path("/k"), "c")
    assert where.from_settings({}) == where.Cluster(None, None)


@pytest.mark.parametrize(("text", "length"), [("", None), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_lengths_of_time(text: str, length: int | None) -> None:
    assert logs.seconds(text) == length


def test_other_lengths_are_wrong_use() -> None:
    with pytest.raises(UsageError, match="--since soon is no length of time"):
        logs.seconds("soon")
    with pytest.raises(UsageError, match="--window soon is no length of time"):
        logs.seconds("soon", "--window")


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken() -> checks.Check:
        raise RuntimeError("boom")

    found = checks.guarded("engine", broken)
    assert (found.verdict, found.found) == ("wrong", "RuntimeError: boom")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--service", "api"], "a rollout moves everything that changed"),
        (["--in-place", "--strategy", "canary"], "--in-place is --strategy rolling"),
    ],
)
def test_a_rollout_told_two_things_is_wrong_use(tmp_path: Path, flags: list[str], said: str) -> None:
    done = turnout("rollout", "start", "dev", "--yes", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_strategy_may_be_for_some_services() -> None:
    for strategy, in_place in (("rolling", False), ("rolling", True), (None, True)):
        assert _wish("start", strategy, ["api"], in_place=in_place) == Wish("rolling", ("api",))
    assert _wish("start", None, None, in_place=False) == Wish()
