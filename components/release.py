"""The release record, written once everything that it speaks of serves."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components import record
from components.environment import Environment
from components.kubernetes import apply
from components.manifest import Manifest

NAME = "release"


class Release(pulumi.ComponentResource):
    """The record of what the app consists of. It stays when the next one is written; `turnout` prunes the oldest."""

    record_name: str

    def __init__(
        self,
        name: str,
        environment: Environment,
        manifests: Sequence[Manifest],
        *,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after`: the workloads that must serve before the release counts as one."""
        super().__init__("turnout:environment:Release", name, None, opts)
        labels = environment.place("control", NAME).labels(NAME)
        made = record.encode(environment.name, environment.namespaces.control, manifests, labels)
        self.record_name = made.name
        for at, piece in enumerate(made.manifests):
            own = pulumi.ResourceOptions(
                parent=self,
                provider=environment.adopting,
                retain_on_delete=True,
                depends_on=list(after),
            )
            apply(piece, environment=environment, name=f"{environment.namespaces.control}/{NAME}.{at}", opts=own)
        self.register_outputs({})
