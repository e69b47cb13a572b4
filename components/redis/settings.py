"""`turnout:redis`: the app's queue and cache."""

from __future__ import annotations

from components.monitoring.settings import Mebibytes, ResourceSettings, Section, by_tier, resource_defaults
from components.secret import Secret


class RedisSettings(Section):
    enabled: bool = True
    password: Secret
    """A change starts Redis and its callers anew with the new one."""
    storage: Mebibytes
    """Room for the append-only file, from which a restarted server recovers."""
    storage_class: str = ""
    resources: ResourceSettings


defaults = by_tier(
    dev={"storage": "512Mi", "resources": resource_defaults(20, "48Mi", "128Mi")},
    staging={"storage": "1Gi", "resources": resource_defaults(50, "128Mi", "256Mi")},
    prod={"storage": "4Gi", "resources": resource_defaults(100, "512Mi", "1Gi")},
)
