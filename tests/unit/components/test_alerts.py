"""Every alert that ships: named for people, with a severity, a runbook, and metrics that somebody delivers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cli.gates import budgets, builtin
from components.prometheus import ruleset, written
from components.prometheus.ruleset import Sources, alerts, rule_files
from tests.unit.components.monitoring import APP, EVERYTHING, app_metrics, prometheus_settings

ROOT = Path(__file__).parents[3]
SEVERITIES = ("page", "ticket", "info", "none")
READ = re.compile(
    r"\b(?:http_server|gen_ai|app)_\w+(?:_count|_bucket|_total|_active|_pending|_oldest_seconds)\b(\{[^}]*\})?"
)


def every_rule(sources: Sources = APP, **changes: Any) -> list[dict[str, Any]]:
    files = rule_files(prometheus_settings(**{**EVERYTHING, **changes}), sources)
    return [rule for groups in files.values() for group in groups for rule in group["rules"]]


def every_alert(sources: Sources = APP, **changes: Any) -> list[dict[str, Any]]:
    return [rule for rule in every_rule(sources, **changes) if "alert" in rule]


def names(sources: Sources = APP, **changes: Any) -> set[str]:
    return {rule["alert"] for rule in every_alert(sources, **changes)}


@pytest.mark.parametrize("alert", every_alert(), ids=lambda rule: rule["alert"])
def test_an_alert_is_complete(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in SEVERITIES
    assert re.fullmatch(r"([A-Z]+[a-z0-9]+)+", alert["alert"])
    assert alert["annotations"].keys() >= {"summary", "description", "runbook"}
    assert (ROOT / alert["annotations"]["runbook"]).is_file()


def test_runbooks_are_linked_to_where_they_are_published() -> None:
    [watchdog] = [a for a in every_alert(runbooks="https://wiki.example.com/runbooks/") if a["alert"] == "Watchdog"]

    assert watchdog["annotations"]["runbook_url"] == "https://wiki.example.com/runbooks/Watchdog.md"
    assert not any("runbook_url" in alert["annotations"] for alert in every_alert())


def test_what_wakes_somebody_lasts_a_while_or_looks_back() -> None:
    hasty = [a["alert"] for a in every_alert() if a["labels"]["severity"] == "page" and "for" not in a]

    assert hasty == []


def test_rules_without_metrics_are_left_out() -> None:
    bare = Sources(app=(), loki=False, collector=False, node_exporter=False, grafana=False)
    left = names(bare, kube_state_metrics=None, costs=None, kubelet={"enabled": False})

    assert left == {
        *("AlertmanagerFailedReload", "AlertmanagerFailedToSendAlerts", "InfoInhibitor", "MonitoringTargetMissing"),
        *("PrometheusBadConfig", "PrometheusHeadSeriesNearBudget", "PrometheusNotConnectedToAlertmanagers"),
        *("PrometheusNotIngestingSamples", "PrometheusRuleFailures", "PrometheusScrapeLimitHit"),
        *("TargetDown", "Watchdog"),
    }


def test_an_alert_can_be_disabled() -> None:
    assert names() - names(disabled_alerts=["ApprovalBacklog"]) == {"ApprovalBacklog"}


def test_an_alert_that_is_not_there_cannot_be_disabled() -> None:
    with pytest.raises(ValidationError, match=r"there is no alert ApprovalBaclog; did you mean ApprovalBacklog\?"):
        prometheus_settings(disabled_alerts=["ApprovalBaclog"])


def test_every_alert_is_known_by_name() -> None:
    assert names() == written.alert_names()


def test_no_rule_has_the_noise_of_cpu_throttling() -> None:
    assert not [name for name in names() if "Throttl" in name]


def test_every_app_rule_reads_the_app_only() -> None:
    """The collector too delivers `http_server_…`: its own requests are none of the app's."""
    for rule in every_rule():
        for selector in READ.findall(rule["expr"]):
            assert 'job="app"' in selector, rule["expr"]


def test_every_app_metric_is_one_of_the_sample_app() -> None:
    """What no app delivers would look like protection and never fire."""
    source = "".join(path.read_text() for path in (ROOT / "examples/agents/internal").rglob("*.go"))
    wanted = app_metrics(rule["expr"] for rule in every_rule())

    assert len(wanted) >= 8
    assert {name for name in wanted if name not in source} == set()


def test_record_names_are_used_or_shown() -> None:
    """A recording rule that nothing reads only costs. A rollout's gates read what is recorded of a budget."""
    rules = every_rule()
    dashboards = "".join(path.read_text() for path in (ROOT / "components/grafana/dashboards").glob("*.json"))
    asked = (budgets.query(gate) for gate in builtin.gates(builtin.Service("dev", "api"), prometheus_settings().slos))
    read = "".join((dashboards, *asked, *(rule["expr"] for rule in rules)))

    assert {rule["record"] for rule in rules if "record" in rule and rule["record"] not in read} == set()


def test_rule_files_are_named_by_what_they_watch() -> None:
    written = {path.stem for path in (ROOT / "components/prometheus/rules").glob("*.yaml")}

    assert written <= set(rule_files(prometheus_settings(**EVERYTHING), APP))


def test_rules_stay_under_the_size_of_a_config_map() -> None:
    files = ruleset.files(prometheus_settings(**EVERYTHING), APP)

    assert sum(len(text.encode()) for text in files.values()) < 500_000
    assert alerts([{"rules": [{"record": "x"}]}]) == []
