"""Loki's configuration: one process, tsdb index in schema v13 and chunks on its own volume, retention by the compactor.

Every limit is set: to Loki, 0 means none. Retention needs three settings that agree (the period, the compactor's
switch and the store of its delete requests); with one missing it silently never runs.
"""

from __future__ import annotations

from typing import Any, Final

from components.loki.settings import LokiSettings
from components.monitoring.settings import seconds
from components.monitoring.text import to_yaml

CONFIG_PATH: Final = "/etc/loki/config"
CONFIG_FILE: Final = "loki.yml"
DATA_PATH: Final = "/var/loki"
HTTP_PORT: Final = 3100
GRPC_PORT: Final = 9095
INDEXED: Final = ("service.name", "k8s.namespace.name", "k8s.container.name", "deployment.environment.name")
"""Resource attributes that become stream labels. A pod's name is not among them: it would make a stream for each."""

_SCHEMA_FROM: Final = "2024-04-01"
_OLDEST_ACCEPTED: Final = 7 * 24 * 3600


def files(settings: LokiSettings) -> dict[str, str]:
    """The configuration directory."""
    return {CONFIG_FILE: to_yaml(config(settings))}


def config(settings: LokiSettings) -> dict[str, Any]:
    """The whole configuration, as data."""
    return {
        "target": "all",
        "auth_enabled": False,
        "analytics": {"reporting_enabled": False},
        "server": {
            "http_listen_port": HTTP_PORT,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": GRPC_PORT,
            "log_format": "json",
            "log_level": "info",
        },
        "common": _common(),
        "schema_config": _schema(),
        "ingester": _ingester(),
        "compactor": _compactor(),
        "limits_config": _limits(settings),
        "query_range": {"results_cache": {"cache": {"embedded_cache": {"enabled": True, "max_size_mb": 16}}}},
        "pattern_ingester": {"enabled": False},
    }


def _common() -> dict[str, Any]:
    return {
        "path_prefix": DATA_PATH,
        "replication_factor": 1,
        "instance_addr": "127.0.0.1",
        "ring": {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}},
        "storage": {
            "filesystem": {"chunks_directory": f"{DATA_PATH}/chunks", "rules_directory": f"{DATA_PATH}/rules"},
        },
    }


def _schema() -> dict[str, Any]:
    return {
        "configs": [
            {
                "from": _SCHEMA_FROM,
                "store": "tsdb",
                "object_store": "filesystem",
                "schema": "v13",
                "index": {"prefix": "index_", "period": "24h"},
            }
        ]
    }


def _ingester() -> dict[str, Any]:
    """Alone in its ring, so it waits for nobody when it joins or leaves; the write-ahead log covers a crash."""
    return {
        "lifecycler": {"min_ready_duration": "0s", "final_sleep": "0s"},
        "wal": {
            "enabled": True,
            "dir": f"{DATA_PATH}/wal",
            "flush_on_shutdown": True,
            "replay_memory_ceiling": "128MB",
        },
        "chunk_encoding": "snappy",
        "chunk_idle_period": "30m",
        "max_chunk_age": "1h",
    }


def _compactor() -> dict[str, Any]:
    return {
        "working_directory": f"{DATA_PATH}/compactor",
        "compaction_interval": "10m",
        "retention_enabled": True,
        "retention_delete_delay": "1h",
        "delete_request_store": "filesystem",
    }


def _limits(settings: LokiSettings) -> dict[str, Any]:
    limits = settings.limits
    return {
        "retention_period": settings.retention,
        "reject_old_samples": True,
        "reject_old_samples_max_age": _oldest_accepted(settings),
        "creation_grace_period": "10m",
        "ingestion_rate_mb": limits.ingestion_rate_mb,
        "ingestion_burst_size_mb": limits.ingestion_burst_mb,
        "per_stream_rate_limit": f"{limits.ingestion_rate_mb}MB",
        "per_stream_rate_limit_burst": f"{limits.ingestion_burst_mb}MB",
        "max_streams_per_user": limits.streams,
        "max_global_streams_per_user": limits.streams,
        "max_label_names_per_series": 15,
        "max_line_size": f"{limits.line_size_kb}KB",
        "max_line_size_truncate": True,
        "max_structured_metadata_size": "64KB",
        "max_structured_metadata_entries_count": 128,
        "max_query_series": limits.query_series,
        "max_entries_limit_per_query": limits.query_entries,
        "max_query_parallelism": 8,
        "max_query_length": "32d",
        "query_timeout": "1m",
        "allow_structured_metadata": True,
        "volume_enabled": True,
        "otlp_config": {
            "resource_attributes": {
                "ignore_defaults": True,
                "attributes_config": [{"action": "index_label", "attributes": list(INDEXED)}],
            }
        },
    }


def _oldest_accepted(settings: LokiSettings) -> str:
    return f"{int(min(_OLDEST_ACCEPTED, seconds(settings.retention)))}s"
