from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.grafana import config, workload
from components.grafana.workload import Shown
from components.manifest import Manifest
from components.monitoring.text import to_yaml
from components.prometheus.ruleset import rule_files
from components.workload.component import Address
from components.workload.kubernetes import manifests
from tests.unit.components.monitoring import (
    APP,
    EVERYTHING,
    TIERS,
    accepted,
    binary,
    grafana_settings,
    place,
    prometheus_settings,
    read,
    run,
)
from tests.unit.components.workloads import one

SHOWN = Shown(
    prometheus=Address("prometheus", "dev-monitoring", 9090),
    loki=Address("loki", "dev-monitoring", 3100),
    alertmanager=Address("alertmanager", "dev-monitoring", 9093),
)
DASHBOARDS = {name: json.loads(text) for name, text in config.dashboards().items()}
KNOWN_UIDS = {config.PROMETHEUS, config.LOKI, config.ALERTMANAGER}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def deployed(shown: Shown = SHOWN, tier: str = "dev") -> list[Manifest]:
    spec = workload.workload(grafana_settings(tier), "grafana:1", shown)
    return manifests(spec, place("monitoring", "grafana"))


def test_data_sources_have_the_uids_that_dashboards_name() -> None:
    files = config.datasources(prometheus=SHOWN.prometheus.url, loki="http://loki", alertmanager="http://alertmanager")
    sources = read(files, "datasources.yaml")["datasources"]

    assert {source["uid"]: source["type"] for source in sources} == {
        "prometheus": "prometheus",
        "loki": "loki",
        "alertmanager": "alertmanager",
    }
    assert sources[0]["url"] == "http://prometheus.dev-monitoring.svc:9090"
    assert [source["isDefault"] for source in sources] == [True, False, False]


def test_what_does_not_run_is_no_data_source() -> None:
    files = config.datasources(prometheus="http://prometheus", loki=None, alertmanager=None)

    assert [source["uid"] for source in read(files, "datasources.yaml")["datasources"]] == ["prometheus"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_well_formed(name: str) -> None:
    dashboard = DASHBOARDS[name]
    numbers = [panel["id"] for panel in dashboard["panels"]]

    assert dashboard["uid"] == f"turnout-{name.removesuffix('.json')}"
    assert len(set(numbers)) == len(numbers)
    assert all(panel["title"] and panel["targets"] for panel in panels(dashboard))
    assert {panel["datasource"]["uid"] for panel in panels(dashboard)} <= KNOWN_UIDS
    assert {target["datasource"]["uid"] for panel in panels(dashboard) for target in panel["targets"]} <= KNOWN_UIDS


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_lies_over_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_every_record_that_a_dashboard_reads_is_recorded() -> None:
    files = rule_files(prometheus_settings(**EVERYTHING), APP)
    recorded = {rule.get("record") for groups in files.values() for group in groups for rule in group["rules"]}
    read_by_panels = set(re.findall(r"\b[a-z]+:[a-z0-9_]+(?::[a-z0-9_]+)?", " ".join(_prometheus_expressions())))

    assert len(read_by_panels) >= 5
    assert read_by_panels <= recorded


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    plain = [text.replace("$__rate_interval", "5m").replace("$service", "api") for text in _prometheus_expressions()]
    rules = [{"record": f"panel:number:{number}", "expr": text} for number, text in enumerate(plain)]
    (tmp_path / "panels.yaml").write_text(to_yaml({"groups": [{"name": "panels", "rules": rules}]}))

    done = run(binary("promtool"), "check", "rules", str(tmp_path / "panels.yaml"))

    assert accepted(done)
    assert f"{len(rules)} rules found" in done.stdout


def _prometheus_expressions() -> list[str]:
    return [
        target["expr"]
        for dashboard in DASHBOARDS.values()
        for panel in panels(dashboard)
        for target in panel["targets"]
        if target["datasource"]["uid"] == config.PROMETHEUS
    ]


@pytest.mark.parametrize("tier", TIERS)
def test_the_password_is_a_file_and_nowhere_else(tier: str) -> None:
    found = deployed(tier=tier)
    without_secret = [item for item in found if item["kind"] != "Secret"]

    assert "s3cret" not in str(without_secret)
    container = one(found, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]
    variables = {item["name"]: item["value"] for item in container["env"]}
    assert variables["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/etc/grafana/secrets/admin-password"
    assert not [name for name in variables if name.endswith("PASSWORD")]


def test_it_calls_what_it_shows_and_nothing_else() -> None:
    egress = one(deployed(), "NetworkPolicy")["spec"]["egress"]
    assert {port["port"] for rule in egress for port in rule["ports"]} == {53, 9090, 3100, 9093}

    alone = deployed(Shown(prometheus=SHOWN.prometheus, loki=None, alertmanager=None))
    egress = one(alone, "NetworkPolicy")["spec"]["egress"]
    assert {port["port"] for rule in egress for port in rule["ports"]} == {53, 9090}


def test_dashboards_fit_in_one_config_map() -> None:
    assert sum(len(text.encode()) for text in config.dashboards().values()) < 900_000


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_show_what_turnout_did_where_loki_keeps_it(name: str) -> None:
    [annotation] = DASHBOARDS[name]["annotations"]["list"]
    assert annotation["datasource"]["uid"] in KNOWN_UIDS
    assert annotation["expr"] == '{job="turnout-audit"} | json'
    plain = json.loads(config.dashboards(loki=False)[name])
    assert plain["annotations"]["list"] == []
    assert {key: value for key, value in plain.items() if key != "annotations"} == {
        key: value for key, value in DASHBOARDS[name].items() if key != "annotations"
    }


def test_annotations_name_fields_of_an_audit_entry() -> None:
    from cli.rollout.audit import Entry

    [annotation] = DASHBOARDS["app.json"]["annotations"]["list"]
    named = re.findall(r"{{(\w+)}}", annotation["titleFormat"] + annotation["textFormat"])
    assert named and set(named) <= set(Entry.__dataclass_fields__)
