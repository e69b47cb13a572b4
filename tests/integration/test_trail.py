"""The audit trail in a real Loki, through the API server: sent at once, caught up on later, found as Grafana asks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.kube.client import Kube
from cli.kube.errors import KubeError
from cli.progress import Silent
from cli.rollout import aside, audit, trail
from cli.sandbox import cluster, images
from components import versions
from components.grafana import config as grafana
from components.loki import workload
from components.loki.settings import LokiSettings, defaults
from components.manifest import revealed
from components.names import ENVIRONMENT
from components.workload.kubernetes import manifests
from tests.harness import eventually
from tests.integration import accounts
from tests.integration.stage import Stage, staged

pytestmark = [pytest.mark.cluster, pytest.mark.pods]


@pytest.fixture(scope="module")
def stage(sandbox: str, kubeconfig: Path) -> Iterator[Stage]:
    """An environment with a Loki that does not run yet."""
    cluster.load_images(sandbox, images.ensure(["loki"], Silent()), Silent())
    with staged(kubeconfig) as made:
        monitoring = f"{made.name}-monitoring"
        try:
            made.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": monitoring}}, "test")
            spec = workload.workload(
                LokiSettings.model_validate(defaults("dev")), versions.SANDBOX_IMAGES[workload.NAME]
            )
            for manifest in manifests(spec, accounts.environment(made.name).place("monitoring", workload.NAME)):
                made.kube.apply(revealed(manifest), "test")
            _scale(made, 0)
            yield made
        finally:
            made.kube.delete("v1", "Namespace", monitoring)


def _scale(stage: Stage, count: int) -> None:
    place = ("apps/v1", "StatefulSet", "loki", f"{stage.name}-monitoring")
    stage.kube.patch(*place, {"spec": {"replicas": count}}, "test")


def found(stage: Stage, kube: Kube) -> list[dict[str, str]]:
    """What Grafana's annotations would show, newest first."""
    [query] = {json.loads(text)["annotations"]["list"][0]["expr"] for text in grafana.dashboards().values()}
    asked = {"query": query, "since": "1h", "limit": "100"}
    try:
        body = kube.proxy(f"{stage.name}-monitoring", "loki", "http", "/loki/api/v1/query_range", asked)
    except KubeError:  # it has just come up
        return []
    streams = json.loads(body)["data"]["result"]
    return [stream["stream"] for stream in streams]


def by_what(stage: Stage, kube: Kube) -> dict[str, dict[str, str]]:
    return {row["what"]: row for row in found(stage, kube)}


def answers(stage: Stage, kube: Kube) -> bool:
    """Loki is ready."""
    try:
        kube.proxy(f"{stage.name}-monitoring", "loki", "http", "/ready")
    except Exception:
        return False
    return True


def one_more(stage: Stage) -> bool:
    """Another entry; each takes those with it that did not arrive before."""
    audit.write(stage.kube, stage.name, audit.entry(stage.kube, "turnout rollback", why="it errs", outcome="done"))
    aside.finish(10)
    return True


def test_entries_arrive_also_those_that_were_written_while_loki_was_down(stage: Stage) -> None:
    with stage.kube.beside(5) as quick:
        began = time.monotonic()
        audit.write(stage.kube, stage.name, audit.entry(stage.kube, "turnout up", why="while it was down"))
        aside.finish()
        assert time.monotonic() - began < 10 * aside.LIMIT
        _scale(stage, 1)
        eventually(lambda: answers(stage, quick))
        told = eventually(lambda: one_more(stage) and len(told := by_what(stage, quick)) > 1 and told)
    assert set(told) == {"turnout up", "turnout rollback"}
    newest = told["turnout rollback"]
    assert (newest["why"], newest["outcome"], newest["environment"]) == ("it errs", "done", stage.name)
    assert newest["who"] == audit.entries(stage.kube, stage.name)[0].who
    pending = f"{trail.SENT}={trail.PENDING},{ENVIRONMENT}={stage.name}"
    eventually(lambda: stage.kube.list("v1", "ConfigMap", stage.control, labels=pending) == [])


def test_on_call_and_approver_may_send_it(stage: Stage, tmp_path: Path) -> None:
    from cli.kube import client
    from cli.rollout.where import Cluster

    try:
        stage.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{stage.name}-agents"}}, "t")
        for role in ("on-call", "approver"):
            file = accounts.with_role(stage.kube, stage.name, role, stage.kubeconfig, tmp_path)
            with client.connect(Cluster(file, None)) as kube:
                audit.write(kube, stage.name, audit.entry(kube, f"by {role}"))
                aside.finish(10)
        eventually(lambda: {"by on-call", "by approver"} <= {row["what"] for row in found(stage, stage.kube)})
    finally:
        accounts.remove_cluster_roles(stage.kube, stage.name)
        stage.kube.delete("v1", "Namespace", f"{stage.name}-agents")
