"""`turnout:grafana`: dashboards over Prometheus and Loki."""

from __future__ import annotations

from components.monitoring.settings import Mebibytes, ResourceSettings, Section, by_tier, resource_defaults
from components.secret import Secret


class GrafanaSettings(Section):
    enabled: bool = True
    admin_password: Secret
    """Grafana reads it when its database is first made; later changes need `grafana cli admin reset-admin-password`."""
    storage: Mebibytes
    storage_class: str = ""
    resources: ResourceSettings


defaults = by_tier(
    dev={"storage": "1Gi", "resources": resource_defaults(50, "192Mi", "384Mi")},
    staging={"storage": "2Gi", "resources": resource_defaults(50, "256Mi", "512Mi")},
    prod={"storage": "10Gi", "resources": resource_defaults(200, "512Mi", "1Gi")},
)
