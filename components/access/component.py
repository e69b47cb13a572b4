"""The roles of people and of CI, as a component: always there, bound to those whom the settings name."""

from __future__ import annotations

import pulumi

from components.access.roles import manifests
from components.environment import Environment
from components.kubernetes import apply
from components.rollout.settings import AccessSettings


class Access(pulumi.ComponentResource):
    """viewer, approver, on-call and deployer; each can also be bound by hand."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        access: AccessSettings,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("turnout:environment:Access", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        for manifest in manifests(environment, access):
            apply(manifest, environment=environment, opts=own)
        self.register_outputs({})
