"""A server that keeps the app's data: one stateful workload of the app's stack, as a component of its own type."""

from __future__ import annotations

import pulumi

from components.environment import Environment
from components.workload import WorkloadSpec
from components.workload.component import Address, Workload


class Store(pulumi.ComponentResource):
    """Runs what `spec` describes. `type_`: the component's type token; the workload has the spec's own name."""

    address: Address
    workload: Workload

    def __init__(
        self, type_: str, name: str, environment: Environment, spec: WorkloadSpec, opts: pulumi.ResourceOptions | None
    ) -> None:
        super().__init__(type_, name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.workload = Workload(spec.name, environment, spec, stack="app", component=spec.name, opts=own)
        self.address = self.workload.address()
        self.register_outputs({})
