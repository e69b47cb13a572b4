"""One thing that runs: a service, a worker, a job, an agent on every node.

Descriptions (`WorkloadSpec` and its parts) load without Pulumi, which settings and rollbacks do without.
"""

from typing import TYPE_CHECKING, Any

from components.workload.spec import (
    Accepts,
    ApiServer,
    Autoscale,
    Calls,
    ConfigFiles,
    Drain,
    HostAccess,
    HostPath,
    Nodes,
    Outside,
    Port,
    Probe,
    Probes,
    Resources,
    Route,
    Rule,
    Schedule,
    Scratch,
    SecretFiles,
    Spread,
    Storage,
    Workloads,
    WorkloadSpec,
)

if TYPE_CHECKING:
    from components.workload.component import Address, Workload

__all__ = [
    "Accepts",
    "Address",
    "ApiServer",
    "Autoscale",
    "Calls",
    "ConfigFiles",
    "Drain",
    "HostAccess",
    "HostPath",
    "Nodes",
    "Outside",
    "Port",
    "Probe",
    "Probes",
    "Resources",
    "Route",
    "Rule",
    "Schedule",
    "Scratch",
    "SecretFiles",
    "Spread",
    "Storage",
    "Workload",
    "WorkloadSpec",
    "Workloads",
]


def __getattr__(name: str) -> Any:
    if name not in ("Address", "Workload"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from components.workload import component

    return getattr(component, name)
