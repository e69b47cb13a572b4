"""A workload as a Pulumi component on a Kubernetes cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.environment import Environment, Placement, Stack
from components.kubernetes import KubernetesObject, Manifest, apply
from components.workload import kubernetes
from components.workload.spec import WorkloadSpec


@dataclass(frozen=True)
class Address:
    """Where a workload is reached from inside the cluster."""

    name: str
    namespace: str
    port: int

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Workload(pulumi.ComponentResource):
    """Everything that one workload needs in the cluster, registered in the order in which it is needed."""

    spec: WorkloadSpec
    manifests: list[Manifest]
    """What was declared, as plain data, in dependency order."""
    controller: KubernetesObject
    """The Deployment, StatefulSet, DaemonSet, Job or CronJob: depend on it to wait until the workload is ready."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        spec: WorkloadSpec,
        *,
        stack: Stack,
        component: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("turnout:workload:Workload", name, None, opts)
        self.spec = spec
        self.placement: Placement = environment.place(stack, component)
        self.manifests = kubernetes.manifests(spec, self.placement)
        self._declare(environment)
        self.register_outputs({})

    def address(self, port: str = "") -> Address:
        """The Service's address at the named port (default: the first served port)."""
        return kubernetes_address(self.spec, self.placement, port)

    def _declare(self, environment: Environment) -> None:
        needed: list[pulumi.Resource] = []
        for manifest in self.manifests:
            options = pulumi.ResourceOptions(parent=self, depends_on=list(needed))
            declared = apply(manifest, environment=environment, opts=options)
            if manifest["kind"] in kubernetes.CONTROLLERS:
                self.controller = declared
            if manifest["kind"] in kubernetes.NEEDED_FIRST:
                needed.append(declared)


def kubernetes_address(spec: WorkloadSpec, placement: Placement, port: str = "") -> Address:
    served = next(p for p in spec.ports if p.served and port in ("", p.name))
    return Address(spec.name, placement.namespace, served.served_as or served.number)
