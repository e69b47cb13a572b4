from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.loki import config, workload
from components.workload.kubernetes import manifests
from tests.unit.components.monitoring import TIERS, accepted, binary, loki_settings, place, run, write
from tests.unit.components.workloads import one


def test_all_three_settings_that_retention_needs_are_there() -> None:
    found = config.config(loki_settings(retention="7d"))

    assert found["limits_config"]["retention_period"] == "7d"
    assert found["compactor"]["retention_enabled"] is True
    assert found["compactor"]["delete_request_store"] == "filesystem"


def test_the_store_is_tsdb_in_schema_13() -> None:
    [period] = config.config(loki_settings())["schema_config"]["configs"]

    assert (period["store"], period["schema"], period["index"]["period"]) == ("tsdb", "v13", "24h")


def test_no_limit_is_off() -> None:
    limits = config.config(loki_settings())["limits_config"]

    assert [name for name, value in limits.items() if value in (0, "0", "0s", "0MB", "0KB")] == []


@pytest.mark.parametrize("limit", ["ingestion_rate_mb", "streams", "line_size_kb", "query_series"])
def test_a_limit_of_nothing_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError):
        loki_settings(limits={limit: 0})


def test_retention_under_a_day_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 24h"):
        loki_settings(retention="12h")


def test_what_is_older_than_the_retention_is_not_taken_in() -> None:
    assert config.config(loki_settings(retention="2d"))["limits_config"]["reject_old_samples_max_age"] == "172800s"
    assert config.config(loki_settings(retention="30d"))["limits_config"]["reject_old_samples_max_age"] == "604800s"


def test_labels_are_few_and_no_pod_makes_a_stream() -> None:
    [indexed] = config.config(loki_settings())["limits_config"]["otlp_config"]["resource_attributes"][
        "attributes_config"
    ]

    assert indexed["action"] == "index_label"
    assert not {"k8s.pod.name", "service.instance.id", "k8s.pod.uid"} & set(indexed["attributes"])


def deployed() -> list[dict[str, Any]]:
    return manifests(workload.workload(loki_settings(), "loki:1"), place("monitoring", "loki"))


def test_collector_grafana_and_prometheus_alone_reach_it() -> None:
    policy = one(deployed(), "NetworkPolicy")["spec"]
    peers = [peer for rule in policy["ingress"] for peer in rule["from"]]

    assert "egress" not in policy
    assert {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in peers} == {
        "collector",
        "grafana",
        "prometheus",
    }


def test_it_leaves_room_below_its_memory_limit() -> None:
    container = one(deployed(), "StatefulSet")["spec"]["template"]["spec"]["containers"][0]

    assert container["resources"]["limits"]["memory"] == "512Mi"
    assert {"name": "GOMEMLIMIT", "value": "460MiB"} in container["env"]


@pytest.mark.parametrize("tier", TIERS)
def test_loki_accepts_what_is_rendered(tier: str, tmp_path: Path) -> None:
    moved = {config.DATA_PATH: str(tmp_path / "data")}
    folder = write(tmp_path / "config", config.files(loki_settings(tier)), moved)

    assert accepted(run(binary("loki"), f"-config.file={folder / config.CONFIG_FILE}", "-verify-config"))
