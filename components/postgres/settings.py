"""`turnout:postgres`: the app's database."""

from __future__ import annotations

from pydantic import Field

from components.monitoring.settings import Mebibytes, ResourceSettings, Section, by_tier, resource_defaults
from components.secret import Secret


class PostgresSettings(Section):
    enabled: bool = True
    password: Secret
    """Of the one role. It is set when the database is first made; change it there and here together."""
    role: str = Field("app", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    database: str = Field("app", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    connections: int = Field(100, ge=10, le=2_000, description="at most, all callers together")
    storage: Mebibytes
    storage_class: str = ""
    resources: ResourceSettings


defaults = by_tier(
    dev={"storage": "1Gi", "resources": resource_defaults(50, "128Mi", "512Mi")},
    staging={"storage": "10Gi", "resources": resource_defaults(100, "512Mi", "1Gi")},
    prod={"storage": "50Gi", "connections": 300, "resources": resource_defaults(500, "2Gi", "4Gi")},
)
