"""`turnout:node-exporter`: the nodes' own figures."""

from __future__ import annotations

from typing import Literal

from components.monitoring.settings import ResourceSettings, Section, by_tier, resource_defaults


class NodeExporterSettings(Section):
    enabled: bool = True
    resources: ResourceSettings
    mounts: Literal["None", "HostToContainer"] = "HostToContainer"
    """Whether mounts that the node makes later are seen. `None` for a node whose root is not a shared mount."""


_SMALL = {"resources": resource_defaults(10, "32Mi", "64Mi")}
defaults = by_tier(dev=_SMALL, staging=_SMALL, prod={"resources": resource_defaults(50, "48Mi", "96Mi")})
