from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.monitoring.settings import seconds
from components.prometheus import config, workload
from components.workload.kubernetes import manifests
from tests.unit.components.monitoring import (
    APP,
    EVERYTHING,
    NAMESPACES,
    TIERS,
    accepted,
    binary,
    place,
    prometheus_settings,
    run,
    write,
)
from tests.unit.components.workloads import one


def rendered(tier: str = "dev", **changes: Any) -> dict[str, Any]:
    return config.config(prometheus_settings(tier, **changes), "dev", NAMESPACES)


def scrape(found: dict[str, Any], job: str) -> dict[str, Any]:
    [only] = [item for item in found["scrape_configs"] if item["job_name"] == job]
    return dict(only)


def deployed(**changes: Any) -> list[dict[str, Any]]:
    spec = workload.workload(prometheus_settings(**changes), place("monitoring", "prometheus"), "prometheus:1", APP)
    return manifests(spec, place("monitoring", "prometheus"))


def test_it_finds_pods_of_its_own_environment_only() -> None:
    found = rendered(**EVERYTHING)
    discovered = [sd for job in found["scrape_configs"] for sd in job.get("kubernetes_sd_configs", [])]
    pods = [sd for sd in discovered if sd["role"] == "pod"]

    assert {name for sd in pods for name in sd["namespaces"]["names"]} == {"dev", "dev-monitoring", "dev-agents"}
    assert {sd["role"] for sd in discovered} == {"pod", "node"}
    [alertmanagers] = found["alerting"]["alertmanagers"]
    assert alertmanagers["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": ["dev-monitoring"]}}]


@pytest.mark.parametrize("tier", TIERS)
def test_every_limit_is_set(tier: str) -> None:
    limits = rendered(tier)["global"]

    for name in (
        "sample_limit",
        "label_limit",
        "label_name_length_limit",
        "label_value_length_limit",
        "target_limit",
        "body_size_limit",
    ):
        assert limits[name] not in (0, "0", "0MB"), name


@given(st.integers(1, 120))
def test_a_scrape_ends_before_the_next_one_begins(interval: int) -> None:
    found = rendered(scrape_interval=f"{interval}s")["global"]

    assert seconds(found["scrape_timeout"]) <= seconds(found["scrape_interval"])


def test_the_app_is_asked_more_often_than_the_rest_and_each_time_in_time() -> None:
    """A rollout's gates look every ten seconds: half of what they see may be no older than that."""
    app, *others = rendered()["scrape_configs"]
    assert app["job_name"] == "app"
    assert seconds(app["scrape_timeout"]) <= seconds(app["scrape_interval"]) <= 5
    assert not [job["job_name"] for job in others if "scrape_interval" in job]


@pytest.mark.parametrize("interval", ["0s", "3m", "soon", "10", ""])
def test_an_unusable_interval_is_refused(interval: str) -> None:
    with pytest.raises(ValidationError):
        prometheus_settings(scrape_interval=interval)
    with pytest.raises(ValidationError, match="app_scrape_interval"):
        prometheus_settings(app_scrape_interval=interval)


def test_retention_stands_in_the_configuration_and_leaves_room_for_the_log() -> None:
    found = rendered(retention="2d", storage="1000Mi")

    assert found["storage"]["tsdb"]["retention"] == {"time": "2d", "size": "800MB"}


def test_a_pair_of_replicas_sends_one_alert() -> None:
    found = rendered("prod")

    assert found["global"]["external_labels"]["replica"] == "${POD_NAME}"
    assert {"action": "labeldrop", "regex": "replica"} in found["alerting"]["alert_relabel_configs"]


def test_the_kubelet_is_read_directly_and_its_certificate_verified_on_request() -> None:
    assert scrape(rendered(), "cadvisor")["tls_config"] == {"insecure_skip_verify": True}
    verified = scrape(rendered(kubelet={"verify_tls": True}), "cadvisor")
    assert verified["tls_config"]["ca_file"].endswith("/ca.crt")
    assert "proxy" not in str(verified)


def test_rights_reach_beyond_the_environment_for_the_nodes_figures_only() -> None:
    rules = one(deployed(), "ClusterRole")["rules"]

    assert rules == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
    ]
    without = deployed(kubelet={"enabled": False})
    assert not [item for item in without if item["kind"].startswith("ClusterRole")]


def test_a_changed_rule_restarts_it() -> None:
    names = [
        one(deployed(disabled_alerts=list(disabled)), "StatefulSet")["spec"]["template"]["spec"]["volumes"]
        for disabled in ((), ("AppDown",))
    ]

    assert names[0] != names[1]


@pytest.mark.parametrize("tier", TIERS)
def test_promtool_accepts_everything_that_is_rendered(tier: str, tmp_path: Path) -> None:
    settings = prometheus_settings(tier, **EVERYTHING)
    rules = write(tmp_path / "rules", config.rule_files(settings, APP))
    token = tmp_path / "token"
    token.write_text("token")
    moved = {config.RULES_PATH: str(rules), "/var/run/secrets/kubernetes.io/serviceaccount/token": str(token)}
    folder = write(tmp_path / "config", config.files(settings, tier, NAMESPACES), moved)

    done = run(
        binary("promtool"),
        *("check", "config", "--lint=all", "--lint-fatal", str(folder / config.CONFIG_FILE)),
        environment={"POD_NAME": "prometheus-0"},
    )

    assert accepted(done)
    assert f"SUCCESS: {len(list(rules.iterdir()))} rule files found" in done.stdout


def test_replicas_in_prod_stand_on_different_nodes() -> None:
    placement = place("monitoring", "prometheus", "prod")
    spec = workload.workload(prometheus_settings("prod"), placement, "prometheus:1", APP)
    stateful = one(manifests(spec, placement), "StatefulSet")["spec"]

    assert stateful["replicas"] == 2
    assert stateful["template"]["spec"]["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "DoNotSchedule"
