from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.collector import config, workload
from components.manifest import Manifest
from components.monitoring.access import reading_pods
from components.workload.kubernetes import manifests
from tests.unit.components.monitoring import (
    NAMESPACES,
    TIERS,
    accepted,
    binary,
    collector_settings,
    place,
    run,
    write,
)
from tests.unit.components.workloads import one

LOKI = "http://loki.dev-monitoring.svc:3100"


def rendered(loki: str | None = LOKI, **changes: Any) -> dict[str, Any]:
    return config.config(collector_settings(**changes), NAMESPACES, loki)


def deployed(**changes: Any) -> list[Manifest]:
    placement = place("agents", "collector")
    return manifests(workload.workload(collector_settings(**changes), placement, "collector:1", LOKI), placement)


def test_it_ships_the_logs_of_its_environment_and_not_its_own() -> None:
    logs = rendered(pod_logs="/elsewhere/pods/")["receivers"]["file_log"]

    assert logs["include"] == [
        "/elsewhere/pods/dev_*/*/*.log",
        "/elsewhere/pods/dev-monitoring_*/*/*.log",
        "/elsewhere/pods/dev-agents_*/*/*.log",
    ]
    assert logs["exclude"] == ["/elsewhere/pods/dev-agents_collector-*/*/*.log"]


def test_logs_go_to_loki_and_wait_on_disk_when_it_is_away() -> None:
    found = rendered()
    exporter = found["exporters"]["otlp_http/loki"]

    assert exporter["endpoint"] == f"{LOKI}/otlp"
    assert exporter["sending_queue"]["storage"] == "file_storage"
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert found["service"]["pipelines"]["logs"]["exporters"] == ["otlp_http/loki"]


def test_traces_are_counted_and_dropped_until_there_is_a_store() -> None:
    assert rendered()["service"]["pipelines"]["traces"]["exporters"] == ["nop"]
    stored = rendered(traces_to="http://tempo.example.com:4318")
    assert stored["service"]["pipelines"]["traces"]["exporters"] == ["otlp_http/traces"]
    assert "nop" not in stored["exporters"]


def test_every_component_is_used() -> None:
    for found in (rendered(), rendered(loki=None), rendered(traces_to="https://traces.example.com")):
        pipelines = found["service"]["pipelines"].values()
        for kind in ("receivers", "processors", "exporters"):
            assert {name for pipeline in pipelines for name in pipeline[kind]} == set(found[kind]), kind


def test_every_store_that_is_named_is_there() -> None:
    """The collector's own validation does not notice one that is missing."""
    found = rendered(traces_to="https://traces.example.com")
    exporters = [exporter["sending_queue"]["storage"] for exporter in found["exporters"].values()]

    assert {found["receivers"]["file_log"]["storage"], *exporters} == {"file_storage"}
    assert set(found["service"]["extensions"]) == set(found["extensions"])


def test_the_memory_limiter_comes_first_and_stays_under_the_limit() -> None:
    found = rendered()

    assert all(pipeline["processors"][0] == "memory_limiter" for pipeline in found["service"]["pipelines"].values())
    assert found["processors"]["memory_limiter"]["limit_mib"] < 256


def test_it_reads_pods_in_three_namespaces_and_nothing_of_the_cluster() -> None:
    namespaces = ("dev", "dev-monitoring", "dev-agents")
    rights = reading_pods("collector", place("agents", "collector"), namespaces)

    assert {item["kind"] for item in rights} == {"Role", "RoleBinding"}
    assert {item["metadata"]["namespace"] for item in rights} == set(namespaces)
    assert not [item for item in deployed() if "Role" in item["kind"]]
    names = {name: item for name, item in rendered()["processors"].items() if name.startswith("k8s_attributes")}
    assert {item["filter"]["namespace"] for item in names.values()} == set(namespaces)
    assert all(item["filter"]["node_from_env_var"] == "NODE_NAME" for item in names.values())


def test_the_host_is_read_only_and_the_reason_written() -> None:
    template = one(deployed(), "DaemonSet")["spec"]["template"]
    [container] = template["spec"]["containers"]

    assert template["metadata"]["annotations"]["turnout.dev/host-access"] == workload.REASON
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "pod-logs"]
    assert mount == {"name": "pod-logs", "mountPath": "/var/log/pods", "readOnly": True}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_only_the_app_sends_to_it_and_only_prometheus_reads_its_metrics() -> None:
    app, metrics = one(deployed(), "NetworkPolicy")["spec"]["ingress"]

    assert {port["port"] for port in app["ports"]} == {4317, 4318}
    assert {port["port"] for port in metrics["ports"]} == {8888}


@pytest.mark.parametrize(("url", "port"), [("https://t.example.com", 443), ("http://t.example.com:4318", 4318)])
def test_a_trace_store_is_let_out_to(url: str, port: int) -> None:
    egress = one(deployed(traces_to=url), "NetworkPolicy")["spec"]["egress"]

    assert port in {item["port"] for rule in egress for item in rule.get("ports", [])}


@pytest.mark.parametrize("changes", [{"pod_logs": "var/log"}, {"traces_to": "tempo:4317"}, {"queue": 0}])
def test_wrong_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector_settings(**changes)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("traces", [None, "https://traces.example.com"])
def test_the_collector_accepts_what_is_rendered(tier: str, traces: str | None, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    files = config.files(collector_settings(tier, traces_to=traces), NAMESPACES, LOKI)
    folder = write(tmp_path / "config", files, {config.STATE_PATH: str(state)})

    done = run(
        binary("otelcol"), "validate", f"--config={folder / config.CONFIG_FILE}", environment={"NODE_NAME": "node"}
    )

    assert accepted(done)
