"""The release record, written once everything that it speaks of serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pulumi

from components import record
from components.environment import Environment
from components.kubernetes import apply, freeze
from components.record import Record
from components.tracks import Head, Heads
from components.workload.component import Workload

NAME: Final = "release"
TYPE: Final = "turnout:environment:Release"


class Release(pulumi.ComponentResource):
    """The record of what the app consists of. It stays when the next one is written; `turnout` prunes the oldest."""

    record_name: str
    heads: Heads
    """Its objects by name: what a later run keeps while it must not write another one."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        workloads: Sequence[Workload],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`workloads`: what must serve before the release counts as one."""
        super().__init__(TYPE, name, None, opts)
        made = _record(environment, workloads)
        self.record_name = made.name
        named = {f"{environment.namespaces.control}/{NAME}.{at}": piece for at, piece in enumerate(made.manifests)}
        after = [one for workload in workloads for one in workload.controllers]
        for resource, piece in named.items():
            own = pulumi.ResourceOptions(
                parent=self, provider=environment.adopting, retain_on_delete=True, depends_on=after
            )
            apply(piece, environment=environment, name=resource, opts=own)
        self.heads = tuple(replace(Head.of(piece), resource=resource) for resource, piece in named.items())
        self.register_outputs({})


class KeptRelease(pulumi.ComponentResource):
    """The record of the last update, kept because not everything of the next release may be there yet."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        record_name: str,
        heads: Heads,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TYPE, name, None, opts)
        self.record_name, self.heads = record_name, heads
        for head in heads:
            freeze(head, environment=environment, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def _record(environment: Environment, workloads: Sequence[Workload]) -> Record:
    labels = environment.place("control", NAME).labels(NAME)
    manifests = [manifest for workload in workloads for manifest in workload.manifests]
    specs = [workload.spec for workload in workloads]
    return record.encode(environment.name, environment.namespaces.control, manifests, labels, specs)
