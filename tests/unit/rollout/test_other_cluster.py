"""The state of a checkout is settled after a rollback in the cluster that its settings mean, and in no other one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli import context
from cli.commands import rollback, rollout
from cli.errors import Refused
from cli.rollout import debts, opened, releases, wait, where
from cli.rollout.opened import Rollout

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: own
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {{}}}}]
contexts: [{{name: own, context: {{cluster: c, user: u}}}}]
"""
NAMED = "config:\n  turnout:cluster: {{kubeconfig: {file}, context: own}}\n"
Settled = Callable[[], bool]


@pytest.fixture
def settled(cluster: Any, kube: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settled:
    """Two releases at http://api, which is the settings' own cluster; whether the checkout's state was settled."""

    @contextmanager
    def connect(*_: Any) -> Iterator[Any]:
        yield kube

    for version in ("1", "2"):
        cluster.now = f"2026-01-01T00:0{version}:00Z"
        cluster.put(make.record(f"release-{version}", [make.deployment("api", version)])[0], "configmaps")
    cluster.put(make.ready(make.deployment("api", "2")), "deployments")
    (tmp_path / "Pulumi.yaml").write_text("name: x\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(NAMED.format(file=tmp_path / "own"))
    (tmp_path / "own").write_text(KUBECONFIG.format(server="http://api"))
    marker = tmp_path / "settled"
    monkeypatch.setattr(where, "connect", connect)
    monkeypatch.setattr(context, "_chosen", tmp_path)
    monkeypatch.setattr(wait, "rolled_out", lambda *_, **__: {})
    monkeypatch.setattr(debts, "_command", lambda *_: ["touch", str(marker)])
    return marker.exists


def go_back() -> None:
    rollback.rollback("dev", yes=True, kubeconfig=Path("rehearsal"))


def abort() -> None:
    rollout.abort("dev", kubeconfig=Path("rehearsal"))


@pytest.mark.parametrize("command", [go_back, abort])
def test_another_clusters_record_does_not_get_into_the_state(
    command: Callable[[], None], kube: Any, tmp_path: Path, settled: Settled, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own").write_text(KUBECONFIG.format(server="http://elsewhere"))
    opened.begin(kube, "dev", Rollout("r1", "bea", record="release-1"))
    command()
    assert not settled()
    assert releases.load(kube, "dev").debt
    assert command is abort or "no checkout here is of this cluster" in capsys.readouterr().out


@pytest.mark.parametrize("command", [go_back, abort])
def test_another_way_to_the_same_cluster_settles(command: Callable[[], None], kube: Any, settled: Settled) -> None:
    opened.begin(kube, "dev", Rollout("r1", "bea", record="release-1"))
    command()
    assert settled()
    assert releases.load(kube, "dev").debt is None


@pytest.mark.parametrize("text", ["config: [broken", "config:\n", "config: {turnout:cluster: none}\n", "\udcff"])
def test_settings_that_name_no_cluster_are_no_obstacle(
    text: str, kube: Any, tmp_path: Path, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    (tmp_path / "Pulumi.dev.yaml").write_bytes(text.encode(errors="surrogateescape"))
    go_back()
    assert not settled()
    assert releases.load(kube, "dev").debt


def test_a_kubeconfig_that_is_not_here_is_no_obstacle(kube: Any, tmp_path: Path, settled: Settled) -> None:
    (tmp_path / "own").unlink()
    go_back()
    assert not settled()
    assert releases.load(kube, "dev").debt


def test_the_plan_says_which_cluster_it_is_about(settled: Settled, capsys: pytest.CaptureFixture[str]) -> None:
    go_back()
    assert settled()
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("dev (context test, http://api): release 2 → the content of release 1")


@pytest.mark.usefixtures("settled")
def test_a_cluster_without_a_release_is_named() -> None:
    with pytest.raises(Refused, match=r"kept releases: none \(context test, http://api\)"):
        rollback.rollback("nowhere", yes=True, kubeconfig=Path("rehearsal"))
