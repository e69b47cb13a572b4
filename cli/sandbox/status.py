"""What there is of a sandbox, and what of it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cli.sandbox import api, cluster, layout
from cli.sandbox.layout import Layout, Settings

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "keeper")
PROGRAMS = {
    "real": (*CONTROL_PLANE, "containerd", "kubelet", "kube-proxy"),
    "simulated": (*CONTROL_PLANE, "kwok"),
}


@dataclass(frozen=True)
class Running:
    """One of the sandbox's programs; no pid: it does not run."""

    name: str
    pid: int | None
    log: str


@dataclass(frozen=True)
class Status:
    """`problem` is why the sandbox cannot be used as it is, or nothing."""

    name: str
    pods: str
    server: str
    kubeconfig: str
    problem: str
    programs: tuple[Running, ...]
    others: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ready": not self.problem}


def status(name: str) -> Status:
    """Raises TurnoutError when there is no such sandbox."""
    place = Layout(name)
    settings = cluster.require(place)
    supervisor = cluster.supervisor(place, settings)
    found = [(program, supervisor.find(program)) for program in PROGRAMS[settings.pods]]
    programs = tuple(
        Running(program, process.pid if process else None, str(supervisor.log_file(program)))
        for program, process in found
    )
    return Status(
        name,
        settings.pods,
        settings.server,
        str(place.kubeconfig),
        _problem(place, settings, programs),
        programs,
        tuple(other for other in layout.names() if other != name),
    )


def _problem(place: Layout, settings: Settings, programs: tuple[Running, ...]) -> str:
    if ended := [program.name for program in programs if program.pid is None]:
        return f"{', '.join(ended)} {'does' if len(ended) == 1 else 'do'} not run"
    return api.not_ready(place, settings) or api.cluster_problem(place, settings)
