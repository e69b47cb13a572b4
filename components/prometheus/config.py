"""Prometheus's configuration: it finds pods of its own environment's namespaces and nothing else.

Targets are pods: those of the app with a port named `metrics`, those of the monitoring with one named `http` or
`metrics`. Every scrape has limits: to Prometheus, 0 means none.
"""

from __future__ import annotations

from typing import Any, Final

from components.environment import Namespaces
from components.monitoring.settings import seconds
from components.monitoring.text import to_yaml
from components.prometheus import ruleset
from components.prometheus.ruleset import Sources
from components.prometheus.settings import PrometheusSettings, ScrapeLimits

CONFIG_PATH: Final = "/etc/prometheus/config"
RULES_PATH: Final = "/etc/prometheus/rules"
CONFIG_FILE: Final = "prometheus.yml"
DATA_PATH: Final = "/var/prometheus"
PORT: Final = 9090
KUBELET_PORT: Final = 10250
REPLICA_LABEL: Final = "replica"

_CLUSTER_AUTHORITY: Final = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_PHASE: Final = "__meta_kubernetes_pod_phase"
_POD_LABEL: Final = "__meta_kubernetes_pod_label_"
_STORAGE_SHARE: Final = 0.8
_LONGEST_TIMEOUT: Final = 10


def files(settings: PrometheusSettings, environment: str, namespaces: Namespaces) -> dict[str, str]:
    """The configuration directory."""
    return {CONFIG_FILE: to_yaml(config(settings, environment, namespaces))}


def rule_files(settings: PrometheusSettings, sources: Sources) -> dict[str, str]:
    """The rules directory."""
    return ruleset.files(settings, sources)


def config(settings: PrometheusSettings, environment: str, namespaces: Namespaces) -> dict[str, Any]:
    """The whole configuration, as data."""
    return {
        "global": _global(settings, environment),
        "storage": {"tsdb": {"retention": _retention(settings)}},
        "rule_files": [f"{RULES_PATH}/*.yaml"],
        "alerting": _alerting(namespaces),
        "scrape_configs": _scrapes(settings, namespaces),
    }


def _global(settings: PrometheusSettings, environment: str) -> dict[str, Any]:
    return {
        "scrape_interval": settings.scrape_interval,
        "scrape_timeout": _timeout(settings.scrape_interval),
        "evaluation_interval": settings.scrape_interval,
        "external_labels": {"environment": environment, REPLICA_LABEL: "${POD_NAME}"},
        **_limits(settings.limits),
    }


def _every(interval: str) -> dict[str, str]:
    return {"scrape_interval": interval, "scrape_timeout": _timeout(interval)}


def _timeout(interval: str) -> str:
    return f"{min(_LONGEST_TIMEOUT, int(seconds(interval)))}s"


def _limits(limits: ScrapeLimits) -> dict[str, Any]:
    return {
        "sample_limit": limits.samples,
        "label_limit": limits.labels,
        "label_name_length_limit": limits.label_name_length,
        "label_value_length_limit": limits.label_value_length,
        "target_limit": limits.targets,
        "keep_dropped_targets": limits.targets,
        "body_size_limit": f"{limits.body}MB",
    }


def _retention(settings: PrometheusSettings) -> dict[str, str]:
    """By time, and by size so that a full volume never stops it: the write-ahead log needs the rest."""
    return {"time": settings.retention, "size": f"{int(settings.storage * _STORAGE_SHARE)}MB"}


def _alerting(namespaces: Namespaces) -> dict[str, Any]:
    found = [
        _keep(
            [_POD_LABEL + "app_kubernetes_io_name", "__meta_kubernetes_pod_container_port_name"], "alertmanager;http"
        ),
        _drop([_PHASE], "Pending|Succeeded|Failed"),
    ]
    return {
        "alert_relabel_configs": [{"action": "labeldrop", "regex": REPLICA_LABEL}],
        "alertmanagers": [{"kubernetes_sd_configs": [_pods_of(namespaces.monitoring)], "relabel_configs": found}],
    }


def _scrapes(settings: PrometheusSettings, namespaces: Namespaces) -> list[dict[str, Any]]:
    scrapes = [
        _pods("app", [namespaces.app], "metrics") | _every(settings.app_scrape_interval),
        _pods("monitoring", [namespaces.monitoring, namespaces.agents], "http|metrics"),
    ]
    if settings.kubelet.enabled:
        scrapes += [_kubelet(settings, namespaces), _cadvisor(settings, namespaces)]
    if settings.kube_state_metrics:
        scrapes.append(_kube_state_metrics(settings.kube_state_metrics, namespaces))
    return scrapes


def _pods(job: str, namespaces: list[str], ports: str) -> dict[str, Any]:
    return {
        "job_name": job,
        "fallback_scrape_protocol": "PrometheusText0.0.4",
        "kubernetes_sd_configs": [_pods_of(*namespaces)],
        "relabel_configs": [
            _drop([_PHASE], "Pending|Succeeded|Failed"),
            _drop(["__meta_kubernetes_pod_container_init"], "true"),
            _keep([_POD_LABEL + "app_kubernetes_io_managed_by"], "turnout"),
            _keep(["__meta_kubernetes_pod_container_port_name"], ports),
            _label("namespace", "__meta_kubernetes_namespace"),
            _label("service", _POD_LABEL + "app_kubernetes_io_name"),
            _label("track", _POD_LABEL + "turnout_dev_track"),
            _label("pod", "__meta_kubernetes_pod_name"),
            _label("node", "__meta_kubernetes_pod_node_name"),
        ],
    }


def _pods_of(*namespaces: str) -> dict[str, Any]:
    return {"role": "pod", "namespaces": {"names": list(namespaces)}}


def _kubelet(settings: PrometheusSettings, namespaces: Namespaces) -> dict[str, Any]:
    wanted = _keep(["__name__"], "kubelet_volume_stats_.+|kubelet_running_pods|kubelet_node_name|up")
    return _node_job("kubelet", "/metrics", settings) | {
        "metric_relabel_configs": [wanted, _own_or_no_namespace(namespaces)]
    }


def _cadvisor(settings: PrometheusSettings, namespaces: Namespaces) -> dict[str, Any]:
    wanted = _keep(
        ["__name__"],
        "container_(cpu_usage_seconds_total|cpu_cfs_throttled_periods_total|memory_working_set_bytes|spec_memory_limit_bytes"
        "|spec_cpu_quota|spec_cpu_period|start_time_seconds|oom_events_total|network_(receive|transmit)_bytes_total)",
    )
    of_pod = {
        "source_labels": ["id"],
        "regex": ".*pod([0-9a-f]{8}[-_0-9a-f]{28}).*",
        "target_label": "uid",
    }
    shorter = {"action": "labeldrop", "regex": "id|image"}
    return _node_job("cadvisor", "/metrics/cadvisor", settings) | {
        "metric_relabel_configs": [wanted, _keep(["namespace"], _own(namespaces)), of_pod, shorter]
    }


def _node_job(job: str, path: str, settings: PrometheusSettings) -> dict[str, Any]:
    """The kubelet itself: the right to read it through the API server's proxy would also let commands be run."""
    trust = {"ca_file": _CLUSTER_AUTHORITY} if settings.kubelet.verify_tls else {"insecure_skip_verify": True}
    return {
        "job_name": job,
        "scheme": "https",
        "metrics_path": path,
        "sample_limit": settings.limits.samples * 10,
        "tls_config": trust,
        "authorization": {"credentials_file": _TOKEN},
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [
            _label("node", "__meta_kubernetes_node_name"),
            {"target_label": "service", "replacement": job},
        ],
    }


def _kube_state_metrics(target: str, namespaces: Namespaces) -> dict[str, Any]:
    return {
        "job_name": "kube-state-metrics",
        "honor_labels": True,
        "sample_limit": 200_000,
        "static_configs": [{"targets": [target], "labels": {"service": "kube-state-metrics"}}],
        "metric_relabel_configs": [_own_or_no_namespace(namespaces)],
    }


def _own(namespaces: Namespaces) -> str:
    return "|".join(namespaces.of_workloads)


def _own_or_no_namespace(namespaces: Namespaces) -> dict[str, Any]:
    return _keep(["namespace"], f"({_own(namespaces)})?")


def _keep(sources: list[str], regex: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": sources, "regex": regex}


def _drop(sources: list[str], regex: str) -> dict[str, Any]:
    return {"action": "drop", "source_labels": sources, "regex": regex}


def _label(name: str, source: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": name}
