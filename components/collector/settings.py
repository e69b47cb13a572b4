"""`turnout:collector`: the agent on every node that ships logs and takes in OTLP."""

from __future__ import annotations

from pydantic import Field

from components.monitoring.settings import Mebibytes, ResourceSettings, Section, by_tier, resource_defaults


class CollectorSettings(Section):
    enabled: bool = True
    pod_logs: str = Field(
        default="/var/log/pods", pattern=r"^/", description="where the kubelet writes pod logs on each node"
    )
    traces_to: str | None = Field(
        None, pattern=r"^https?://", description="an OTLP/HTTP trace store; none: counted and dropped"
    )
    queue: int = Field(default=1_000, ge=1, description="batches kept for a Loki that does not answer")
    state: Mebibytes = Field(default=256, validate_default=True)
    """Room on each node for read positions and batches that could not be sent yet."""
    resources: ResourceSettings


defaults = by_tier(
    dev={"resources": resource_defaults(20, "96Mi", "256Mi")},
    staging={"resources": resource_defaults(50, "128Mi", "256Mi")},
    prod={"resources": resource_defaults(100, "256Mi", "512Mi")},
)
