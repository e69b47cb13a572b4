"""A workload as a Pulumi component on a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Sequence
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
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after`: what must be ready before this workload's pods start."""
        super().__init__("turnout:workload:Workload", name, None, opts)
        self.spec = spec
        self.placement: Placement = environment.place(stack, component)
        self.manifests = kubernetes.manifests(spec, self.placement)
        self._declare(environment, after)
        self.register_outputs({})

    def address(self, port: str = "") -> Address:
        """The Service's address at the named port (default: the first served port)."""
        return address(self.spec, self.placement, port)

    def _declare(self, environment: Environment, after: Sequence[pulumi.Resource]) -> None:
        needed: list[pulumi.Resource] = list(after)
        for manifest in self.manifests:
            is_controller = manifest["kind"] in kubernetes.CONTROLLERS
            options = pulumi.ResourceOptions(parent=self, depends_on=list(needed) if is_controller else None)
            declared = apply(manifest, environment=environment, opts=options)
            if is_controller:
                self.controller = declared
            if manifest["kind"] in kubernetes.NEEDED_FIRST:
                needed.append(declared)


def address(spec: WorkloadSpec, placement: Placement, port: str = "") -> Address:
    """Where `spec` is reached when placed so. Raises ValueError when it serves no such port."""
    for served in spec.ports:
        if served.served and port in ("", served.name):
            return Address(spec.name, placement.namespace, served.served_as or served.number)
    raise ValueError(f"{spec.name} serves no port {port or 'at all'}")
