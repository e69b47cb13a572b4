"""`turnout:loki`: where logs are kept, and for how long."""

from __future__ import annotations

from typing import Final

from pydantic import Field, field_validator

from components.monitoring.settings import (
    Duration,
    Mebibytes,
    ResourceSettings,
    Section,
    by_tier,
    resource_defaults,
    seconds,
)

SHORTEST_RETENTION: Final = 24 * 3600


class LokiLimits(Section):
    """What one environment may send and ask. None of them may be 0, which to Loki means no limit."""

    ingestion_rate_mb: int = Field(default=8, ge=1, description="megabytes a second")
    ingestion_burst_mb: int = Field(default=16, ge=1)
    streams: int = Field(default=5_000, ge=1, description="streams with a write in the last few minutes")
    line_size_kb: int = Field(default=256, ge=1, description="longer lines are cut")
    query_series: int = Field(default=500, ge=1)
    query_entries: int = Field(default=5_000, ge=1)


class LokiSettings(Section):
    enabled: bool = True
    retention: Duration
    storage: Mebibytes
    storage_class: str = ""
    resources: ResourceSettings
    limits: LokiLimits = LokiLimits()

    @field_validator("retention")
    @classmethod
    def _retention_is_kept(cls, value: str) -> str:
        if seconds(value) < SHORTEST_RETENTION:
            raise ValueError("must be at least 24h: Loki's index is cut by the day")
        return value


defaults = by_tier(
    dev={"retention": "2d", "storage": "2Gi", "resources": resource_defaults(50, "192Mi", "512Mi")},
    staging={"retention": "7d", "storage": "20Gi", "resources": resource_defaults(100, "512Mi", "1Gi")},
    prod={"retention": "30d", "storage": "100Gi", "resources": resource_defaults(500, "2Gi", "4Gi")},
)
