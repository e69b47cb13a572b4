"""A monitoring server as a Pulumi component: one workload, and what else it needs in the cluster."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.environment import Environment, Stack
from components.kubernetes import apply
from components.manifest import Manifest
from components.workload import WorkloadSpec
from components.workload.component import Address, Workload


class Server(pulumi.ComponentResource):
    """Base of the monitoring components. Each says in its `__init__` what it is and what stands beside it."""

    workload: Workload

    def __init__(self, kind: str, name: str, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(f"turnout:monitoring:{kind}", name, None, opts)

    def run(self, environment: Environment, spec: WorkloadSpec, stack: Stack, beside: Sequence[Manifest] = ()) -> None:
        """Declares the workload, to start after `beside` is there."""
        under = pulumi.ResourceOptions(parent=self)
        needed = [apply(manifest, environment=environment, opts=under) for manifest in beside]
        self.workload = Workload(
            spec.name, environment, spec, stack=stack, component=spec.name, after=needed, opts=under
        )
        self.register_outputs({})

    @property
    def service(self) -> Address:
        """Where it is reached from inside the cluster."""
        return self.workload.address()

    @property
    def url(self) -> str:
        return self.service.url
