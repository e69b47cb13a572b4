"""The environment's admission policies as one component."""

from __future__ import annotations

import pulumi

from components.environment import Environment
from components.guard import approval, control, cursor, pins
from components.guard.policy import anchor
from components.kubernetes import apply


class Guard(pulumi.ComponentResource):
    """What nobody may do to the environment, whatever tool they use."""

    def __init__(self, name: str, environment: Environment, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("turnout:environment:Guard", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, provider=environment.adopting, retain_on_delete=True)
        anchors = [apply(manifest, environment=environment, opts=kept) for manifest in anchor()]
        place = environment.place("control", name)
        own = pulumi.ResourceOptions(parent=self, depends_on=anchors)
        for policy in (pins, cursor, approval, control):
            for manifest in policy.manifests(place):
                apply(manifest, environment=environment, opts=own)
        self.register_outputs({})
