"""The OpenTelemetry Collector's configuration: logs of this environment's pods and OTLP in, OTLP over HTTP to Loki out.

Only components that both the contrib image and the sandbox's own build have. Kubernetes' names are added by one
processor for each namespace, so that reading pods is a right in these namespaces and not in the whole cluster.
"""

from __future__ import annotations

from typing import Any, Final

from components.collector.settings import CollectorSettings
from components.environment import Namespaces
from components.monitoring.text import to_yaml
from components.names import ENVIRONMENT, WORKLOAD
from components.tracks import TRACK_LABEL

NAME: Final = "collector"
CONFIG_PATH: Final = "/etc/otelcol/config"
CONFIG_FILE: Final = "config.yaml"
STATE_PATH: Final = "/var/lib/otelcol"
OTLP_GRPC_PORT: Final = 4317
OTLP_HTTP_PORT: Final = 4318
METRICS_PORT: Final = 8888
HEALTH_PORT: Final = 13133
NODE_VARIABLE: Final = "NODE_NAME"

_SOFT_LIMIT: Final = 0.8
_SPIKE: Final = 0.2
_LOG: Final = "attributes.log"
_OTHER_THAN_LOGS: Final = "nop"


def files(settings: CollectorSettings, namespaces: Namespaces, loki: str | None) -> dict[str, str]:
    """The configuration directory. `loki`: the base URL of Loki; None: logs are counted and dropped."""
    return {CONFIG_FILE: to_yaml(config(settings, namespaces, loki))}


def config(settings: CollectorSettings, namespaces: Namespaces, loki: str | None) -> dict[str, Any]:
    """The whole configuration, as data."""
    exporters = _exporters(settings, loki)
    logs = "otlp_http/loki" if loki else _OTHER_THAN_LOGS
    traces = "otlp_http/traces" if settings.traces_to else _OTHER_THAN_LOGS
    names = {f"k8s_attributes/{stack}": namespace for stack, namespace in _stacks(namespaces).items()}
    return {
        "extensions": {
            "health_check": {"endpoint": f"0.0.0.0:{HEALTH_PORT}"},
            "file_storage": {"directory": STATE_PATH, "create_directory": False, "compaction": _compaction()},
        },
        "receivers": {"file_log": _pod_logs(settings, namespaces), "otlp": _otlp()},
        "processors": {
            "memory_limiter": _memory(settings),
            **{processor: _names(namespace) for processor, namespace in names.items()},
            "batch": {"send_batch_size": 1_000, "send_batch_max_size": 2_000, "timeout": "1s"},
        },
        "exporters": exporters,
        "service": {
            "extensions": ["health_check", "file_storage"],
            "pipelines": {
                "logs": _pipeline(["file_log", "otlp"], [*names], logs),
                "traces": _pipeline(["otlp"], [*names], traces),
            },
            "telemetry": _telemetry(),
        },
    }


def _stacks(namespaces: Namespaces) -> dict[str, str]:
    return {"app": namespaces.app, "monitoring": namespaces.monitoring, "agents": namespaces.agents}


def _pod_logs(settings: CollectorSettings, namespaces: Namespaces) -> dict[str, Any]:
    """By the kubelet's layout: NAMESPACE_POD_UID/CONTAINER/RESTARTS.log. Not its own: a line would make the next."""
    folder = settings.pod_logs.rstrip("/")
    return {
        "include": [f"{folder}/{namespace}_*/*/*.log" for namespace in _stacks(namespaces).values()],
        "exclude": [f"{folder}/{namespaces.agents}_{NAME}-*/*/*.log"],
        "start_at": "beginning",
        "include_file_path": True,
        "include_file_name": False,
        "storage": "file_storage",
        "poll_interval": "500ms",
        "retry_on_failure": {"enabled": True},
        "operators": [{"type": "container", "id": "container"}, *_structured()],
    }


def _structured() -> list[dict[str, Any]]:
    """Severity and trace of a line of JSON. The line itself stays as it was written."""
    there = f'{_LOG} != nil and {_LOG}["%s"] != nil and {_LOG}["%s"] != ""'
    return [
        {
            "type": "json_parser",
            "id": "json",
            "if": 'body matches "^{.*}\\\\s*$"',
            "parse_to": _LOG,
            "on_error": "send_quiet",
        },
        {
            "type": "severity_parser",
            "id": "severity",
            "if": there % ("level", "level"),
            "parse_from": f"{_LOG}.level",
            "on_error": "send_quiet",
        },
        {
            "type": "trace_parser",
            "id": "trace",
            "if": there % ("trace_id", "trace_id"),
            "trace_id": {"parse_from": f"{_LOG}.trace_id"},
            "span_id": {"parse_from": f"{_LOG}.span_id"},
            "on_error": "send_quiet",
        },
        {"type": "remove", "id": "parsed", "if": f"{_LOG} != nil", "field": _LOG},
        {
            "type": "remove",
            "id": "path",
            "if": 'attributes["log.file.path"] != nil',
            "field": 'attributes["log.file.path"]',
        },
    ]


def _otlp() -> dict[str, Any]:
    return {
        "protocols": {
            "grpc": {"endpoint": f"0.0.0.0:{OTLP_GRPC_PORT}", "max_recv_msg_size_mib": 4},
            "http": {"endpoint": f"0.0.0.0:{OTLP_HTTP_PORT}"},
        }
    }


def _memory(settings: CollectorSettings) -> dict[str, Any]:
    limit = settings.resources.memory_limit or settings.resources.memory
    return {
        "check_interval": "1s",
        "limit_mib": int(limit * _SOFT_LIMIT),
        "spike_limit_mib": int(limit * _SPIKE),
    }


def _names(namespace: str) -> dict[str, Any]:
    return {
        "auth_type": "serviceAccount",
        "filter": {"namespace": namespace, "node_from_env_var": NODE_VARIABLE},
        "extract": {
            "metadata": ["k8s.pod.name", "k8s.namespace.name", "k8s.node.name"],
            "labels": [
                _label("service.name", WORKLOAD),
                _label("turnout.track", TRACK_LABEL),
                _label("deployment.environment.name", ENVIRONMENT),
            ],
        },
        "pod_association": [
            {"sources": [{"from": "resource_attribute", "name": "k8s.pod.uid"}]},
            {"sources": [{"from": "connection"}]},
        ],
    }


def _label(attribute: str, label: str) -> dict[str, str]:
    return {"tag_name": attribute, "key": label, "from": "pod"}


def _exporters(settings: CollectorSettings, loki: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if loki:
        made["otlp_http/loki"] = _sender(f"{loki}/otlp", settings)
    if settings.traces_to:
        made["otlp_http/traces"] = _sender(settings.traces_to, settings)
    if not (loki and settings.traces_to):
        made[_OTHER_THAN_LOGS] = {}
    return made


def _sender(endpoint: str, settings: CollectorSettings) -> dict[str, Any]:
    """What cannot be sent waits on disk, so that neither a restart here nor an outage there loses it."""
    return {
        "endpoint": endpoint,
        "compression": "gzip",
        "timeout": "10s",
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            "max_elapsed_time": "0s",
        },
        "sending_queue": {"enabled": True, "num_consumers": 4, "queue_size": settings.queue, "storage": "file_storage"},
    }


def _pipeline(receivers: list[str], names: list[str], exporter: str) -> dict[str, Any]:
    return {
        "receivers": receivers,
        "processors": ["memory_limiter", *names, "batch"],
        "exporters": [exporter],
    }


def _compaction() -> dict[str, Any]:
    return {"on_start": True, "on_rebound": True, "directory": STATE_PATH}


def _telemetry() -> dict[str, Any]:
    reader = {
        "host": "0.0.0.0",
        "port": METRICS_PORT,
        "without_scope_info": True,
        "without_type_suffix": False,
        "without_units": False,
    }
    return {
        "logs": {"encoding": "json", "level": "info"},
        "metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": reader}}}]},
    }
