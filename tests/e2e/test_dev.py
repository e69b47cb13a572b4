"""The dev environment does what its parts promise, asked of the running servers themselves."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from tests.harness import Environment, eventually

pytestmark = pytest.mark.pods

DATABASES = {"postgres", "redis"}
SCRAPED = {"api", "tools", "runner", "prometheus", "alertmanager", "loki", "collector", "node-exporter"}


def test_status_shows_at_least_ten_healthy_services(dev: Environment) -> None:
    def healthy() -> set[str]:
        """A container that was restarted while it started up counts a little later."""
        return {item["name"] for item in dev.json("status", "dev")["workloads"] if item["healthy"]}

    names = {item["name"] for item in dev.json("status", "dev")["workloads"]}
    assert names >= SCRAPED | DATABASES and len(names) >= 10
    assert eventually(lambda: healthy() == names)


def test_a_second_up_changes_nothing(dev: Environment) -> None:
    assert changes(dev.json("up", "dev", "--yes")) == []


def test_up_after_refresh_changes_nothing(dev: Environment) -> None:
    """Of what was not ready for a moment a refresh has the next update look again; that is not meant here."""
    eventually(lambda: refreshed_ready(dev))
    assert changes(dev.json("up", "dev", "--yes")) == []


def test_prometheus_scrapes_every_target(dev: Environment) -> None:
    def missing() -> set[str]:
        targets = dev.ask("dev-monitoring", "prometheus", "http", "/api/v1/targets")["data"]["activeTargets"]
        up = {
            target["labels"].get("service", target["labels"]["job"]) for target in targets if target["health"] == "up"
        }
        return SCRAPED - up

    eventually(lambda: not missing())


def test_a_trace_id_of_the_app_is_found_in_its_log_line_in_loki(dev: Environment) -> None:
    trace = uuid.uuid4().hex
    started = ask_with_trace(dev, trace)
    assert started

    def lines() -> list[str]:
        query = f'{{k8s_namespace_name="dev"}} |= "{trace}"'
        wanted = {"query": query, "since": "10m"}
        streams = dev.ask("dev-monitoring", "loki", "http", "/loki/api/v1/query_range", wanted)["data"]["result"]
        return [line for stream in streams for _, line in stream["values"]]

    found = eventually(lines)
    assert trace in found[0]


def test_a_fired_alert_reaches_alertmanager(dev: Environment) -> None:
    def firing() -> list[str]:
        alerts = dev.ask("dev-monitoring", "alertmanager", "http", "/api/v2/alerts")
        return [alert["labels"]["alertname"] for alert in alerts if alert["labels"]["alertname"] == "Watchdog"]

    assert eventually(firing)


def test_a_gate_has_no_data_before_there_were_requests_and_passes_on_good_ones(dev: Environment) -> None:
    asked = ("gate", "test", "dev", "--service", "api", "--window", "2m", "--json")
    before = json.loads(dev.turnout(*asked, "--at", "2026-01-01T00:00:00Z").stdout)
    assert {gate["verdict"] for gate in before["gates"]} == {"no data"}

    def verdict() -> list[str]:
        dev.ask("dev", "api", "http", "/v1/served")
        found = json.loads(dev.turnout(*asked, "--at-least", "5").stdout)
        return [gate["gate"] for gate in found["gates"] if gate["verdict"] == "pass" and gate["total"] >= 5]

    assert eventually(lambda: "http-availability" in verdict())


def refreshed_ready(dev: Environment) -> bool:
    dev.turnout("refresh", "dev")
    return not any(change["again"] for change in dev.json("preview", "dev")["environments"][0]["changes"])


def changes(document: dict[str, Any]) -> list[str]:
    """What an outcome says that it did to resources, one line each."""
    return [json.dumps(change) for change in document["changes"] if change["operation"] != "same"]


def ask_with_trace(dev: Environment, trace: str) -> bool:
    """Start a workflow as a caller who is being traced (W3C trace context)."""
    import urllib.request

    service = dev.kube.get("v1", "Service", "api", "dev")["spec"]
    address = f"http://{service['clusterIP']}:{service['ports'][0]['port']}/v1/workflows"
    head = {"traceparent": f"00-{trace}-{trace[:16]}-01", "content-type": "application/json"}
    body = json.dumps({"name": "e2e", "goal": f"add 2 and 3 at {time.time():.0f}"}).encode()
    with urllib.request.urlopen(urllib.request.Request(address, body, head), timeout=10) as answer:
        return bool(200 <= answer.status < 300)
