"""ConfigDrift in a real Alertmanager, with the configuration that the component gives it: raised, routed, ended."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.drift import alerting
from cli.drift.model import Drifted, Fate, Place, Report
from cli.kube.client import Kube, connect
from cli.progress import Silent
from cli.rollout.where import Cluster
from cli.sandbox import cluster, images
from components import versions
from components.alertmanager.workload import workload
from components.environment import Namespaces, Placement
from components.manifest import revealed
from components.workload import kubernetes
from tests.harness import eventually
from tests.unit.components.monitoring import alertmanager_settings

pytestmark = [pytest.mark.cluster, pytest.mark.pods]

ENVIRONMENT = f"am{secrets.token_hex(3)}"
SPACE = f"{ENVIRONMENT}-monitoring"
TEAM = {"name": "team", "webhook": {"url": "http://nowhere.invalid/hook"}}
ONE = Drifted(Place("apps/v1", "Deployment", ENVIRONMENT, "web-a"), "urn", "app/web", Fate.DELETED)
FOUND = Report(ENVIRONMENT, (ONE,), looked=9)
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def kube(sandbox: str, kubeconfig: Path) -> Iterator[Kube]:
    """A cluster with one Alertmanager in the environment's monitoring."""
    cluster.load_images(sandbox, images.ensure(["alertmanager"], Silent()), Silent())
    with connect(Cluster(kubeconfig, None)) as client:
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}, "test")
        try:
            for manifest in manifests():
                client.apply(manifest, "test")
            eventually(lambda: alerts(client) is not None, "an Alertmanager that answers")
            yield client
        finally:
            client.delete("v1", "Namespace", SPACE)


def manifests() -> list[dict[str, Any]]:
    settings = alertmanager_settings(receivers=[TEAM], ticket="team")
    placement = Placement(
        environment=ENVIRONMENT,
        tier="dev",
        namespaces=Namespaces.of(ENVIRONMENT),
        stack="monitoring",
        component="alertmanager",
    )
    spec = workload(settings, placement, versions.SANDBOX_IMAGES["alertmanager"])
    return [revealed(manifest) for manifest in kubernetes.manifests(spec, placement)]


def alerts(kube: Kube) -> list[dict[str, Any]] | None:
    """What the Alertmanager holds; None while it does not answer."""
    from cli.kube.errors import KubeError

    try:
        found: list[dict[str, Any]] = json.loads(kube.proxy(SPACE, "alertmanager", "http", "/api/v2/alerts"))
    except KubeError:
        return None
    return found


def raise_(kube: Kube, report: Report, tier: Any = "prod") -> None:
    made = alerting.alert(report, tier, QUARTER, datetime.now(UTC), "https://wiki.example.com")
    assert alerting.post(kube, ENVIRONMENT, made) == 1


def test_drift_is_raised_refreshed_and_ended_as_one_alert(kube: Kube) -> None:
    raise_(kube, FOUND)
    [first] = alerts(kube) or []
    assert first["labels"] == {"alertname": "ConfigDrift", "environment": ENVIRONMENT, "severity": "ticket"}
    assert first["annotations"]["runbook_url"] == "https://wiki.example.com/ConfigDrift.md"
    assert (first["status"]["state"], [row["name"] for row in first["receivers"]]) == ("active", ["team"])
    raise_(kube, replace(FOUND, objects=(ONE, replace(ONE, urn="other"))))
    [second] = alerts(kube) or []
    assert (second["fingerprint"], second["startsAt"]) == (first["fingerprint"], first["startsAt"])
    assert (second["annotations"]["count"], second["endsAt"] > first["endsAt"]) == ("2", True)
    raise_(kube, Report(ENVIRONMENT, looked=9))
    assert alerts(kube) == []


def test_in_dev_nobody_is_called(kube: Kube) -> None:
    raise_(kube, FOUND, "dev")
    [found] = alerts(kube) or []
    assert (found["labels"]["severity"], [row["name"] for row in found["receivers"]]) == ("info", ["visible-only"])
