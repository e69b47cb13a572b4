"""The rule files of one environment: those of `rules/*.yaml` whose metrics it has, promises, costs, what must be there.

Every alert carries a severity and names its runbook page; a rule whose metrics nobody delivers is left out, because it
would look like protection and never fire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.monitoring.text import to_yaml
from components.prometheus import costs, slo, written
from components.prometheus.runbooks import links
from components.prometheus.settings import PrometheusSettings

Group = dict[str, Any]
Rule = dict[str, Any]


@dataclass(frozen=True)
class Sources:
    """What there is to be measured beside Prometheus and Alertmanager themselves."""

    app: tuple[str, ...] = ()
    """App workloads that have metrics."""
    loki: bool = True
    collector: bool = True
    node_exporter: bool = True
    grafana: bool = True


def files(settings: PrometheusSettings, sources: Sources) -> dict[str, str]:
    """File name to text of every rule file."""
    return {f"{name}.yaml": to_yaml({"groups": groups}) for name, groups in rule_files(settings, sources).items()}


def rule_files(settings: PrometheusSettings, sources: Sources) -> dict[str, list[Group]]:
    """Every rule file as data, its alerts complete."""
    possible = {
        **{name: written.groups(name) for name in _chosen(settings, sources)},
        "slo": slo.groups(settings.slos) if sources.app else [],
        "costs": costs.groups(settings.costs) if sources.app else [],
        "expected": [_expected(settings, sources)],
    }
    completed = {name: [_completed(group, settings) for group in groups] for name, groups in possible.items()}
    return {name: groups for name, groups in completed.items() if groups}


def alerts(rule_groups: Iterable[Group]) -> list[Rule]:
    return [rule for group in rule_groups for rule in group["rules"] if "alert" in rule]


def _chosen(settings: PrometheusSettings, sources: Sources) -> list[str]:
    wanted: Mapping[str, bool] = {
        "app": bool(sources.app),
        "nodes": sources.node_exporter,
        "pods": settings.kubelet.enabled,
        "kube-state": settings.kube_state_metrics is not None,
        "monitoring": True,
        "loki": sources.loki,
        "collector": sources.collector,
        "grafana": sources.grafana,
    }
    return [name for name, present in wanted.items() if present]


def _expected(settings: PrometheusSettings, sources: Sources) -> Group:
    own = {
        "prometheus": True,
        "alertmanager": True,
        "loki": sources.loki,
        "collector": sources.collector,
        "node-exporter": sources.node_exporter,
        "grafana": sources.grafana,
    }
    return {
        "name": "expected",
        "rules": [
            {"record": "turnout:series_budget", "expr": f"vector({settings.series_budget})"},
            *_missing("AppTargetMissing", "page", "app", sources.app),
            *_missing(
                "MonitoringTargetMissing", "ticket", "monitoring", [name for name, there in own.items() if there]
            ),
        ],
    }


def _missing(alert: str, severity: str, job: str, names: Sequence[str]) -> list[Rule]:
    """A target that was never there, or went away whole, has no `up` that could be 0."""
    if not names:
        return []
    return [
        {
            "alert": alert,
            "expr": "\nor ".join(f'absent(up{{job="{job}", service="{name}"}})' for name in names),
            "for": "5m",
            "labels": {"severity": severity},
            "annotations": {
                "summary": "Nothing of {{ $labels.service }} is there to be measured",
                "description": "No pod of it was found for five minutes.",
            },
        }
    ]


def _completed(group: Group, settings: PrometheusSettings) -> Group:
    kept = [rule for rule in group["rules"] if rule.get("alert") not in settings.disabled_alerts]
    return {**group, "rules": [_with_runbook(rule, settings.runbooks) if "alert" in rule else rule for rule in kept]}


def _with_runbook(rule: Rule, published: str) -> Rule:
    return {**rule, "annotations": {**rule["annotations"], **links(rule["alert"], published)}}
