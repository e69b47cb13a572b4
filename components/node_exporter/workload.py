"""The node exporter as a workload on every node. Pure.

It keeps a network of its own, so that NetworkPolicies hold and several environments fit on one node. So it cannot
see the node's network; that of pods comes from the kubelet.
"""

from __future__ import annotations

from typing import Final

from components.node_exporter.settings import NodeExporterSettings
from components.workload import (
    Accepts,
    Drain,
    HostAccess,
    HostPath,
    Port,
    Probe,
    Probes,
    Workloads,
    WorkloadSpec,
)

NAME: Final = "node-exporter"
PORT: Final = 9100
REASON: Final = "Reads the node's processor, memory and disk figures from its /proc, /sys and file systems."

_PROC: Final = "/host/proc"
_SYS: Final = "/host/sys"
_ROOT: Final = "/host/root"
_COLLECTORS: Final = (
    "cpu",
    "diskstats",
    "filefd",
    "filesystem",
    "loadavg",
    "meminfo",
    "pressure",
    "stat",
    "time",
    "uname",
    "vmstat",
)
_UNWANTED_MOUNTS: Final = "^/(dev|proc|run|sys|var/lib/(containerd|docker|kubelet)/.+)($|/)"


def workload(settings: NodeExporterSettings, image: str) -> WorkloadSpec:
    """One a node, as nobody. It calls nobody."""
    return WorkloadSpec(
        name=NAME,
        image=image,
        runs="every-node",
        args=(
            f"--path.procfs={_PROC}",
            f"--path.sysfs={_SYS}",
            f"--path.rootfs={_ROOT}",
            f"--web.listen-address=:{PORT}",
            "--log.format=json",
            "--collector.disable-defaults",
            *(f"--collector.{name}" for name in _COLLECTORS),
            f"--collector.filesystem.mount-points-exclude={_UNWANTED_MOUNTS}",
        ),
        ports=(Port(name="metrics", number=PORT),),
        resources=settings.resources.resources(),
        probes=Probes(
            readiness=Probe(port="metrics", path="/", period=5),
            liveness=Probe(port="metrics", path="/", period=10, timeout=5, failures=6),
        ),
        drain=Drain(pause=0, longest_request=5),
        accepts=(Accepts(source=Workloads(name="prometheus", stack="monitoring")),),
        host=HostAccess(
            reason=REASON,
            paths=(
                HostPath(name="proc", host="/proc", path=_PROC),
                HostPath(name="sys", host="/sys", path=_SYS),
                HostPath(name="root", host="/", path=_ROOT, propagation=settings.mounts),
            ),
            user=65534,
        ),
    )
