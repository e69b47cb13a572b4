"""A workload as a Pulumi component on a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from components.environment import Environment, Placement, Stack
from components.kubernetes import KubernetesObject, Manifest, apply, freeze
from components.tracks import Declared, Head, Tracks, other
from components.workload import kubernetes, standing
from components.workload.spec import WorkloadSpec

TYPE: Final = "turnout:workload:Workload"


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
    """The workload as plain data, as a release record holds it, in dependency order."""
    declared: Declared
    """What this run declared, by name: what the next one freezes."""
    controllers: list[KubernetesObject]
    """The Deployments, StatefulSet, DaemonSet, Job or CronJob: depend on them to wait until the workload is ready."""

    def __init__(
        self,
        name: str,
        environment: Environment,
        spec: WorkloadSpec,
        *,
        stack: Stack,
        component: str,
        after: Sequence[pulumi.Resource] = (),
        tracks: Tracks | None = None,
        before: Declared | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after`: what must be ready before this workload's pods start. `before`: what the last update declared."""
        super().__init__(TYPE, name, None, opts)
        self.spec = spec
        self.placement: Placement = environment.place(stack, component)
        self.manifests = kubernetes.manifests(spec, self.placement)
        self._tracks, self._before = tracks or Tracks(), before or Declared()
        frozen, described = (Declaring(self, environment, after) for _ in range(2))
        self.declared = self._hold(frozen) if self._tracks.held else self._declare(frozen, described)
        self.controllers = [*frozen.controllers, *described.controllers]
        self.register_outputs({})

    def address(self, port: str = "") -> Address:
        """The Service's address at the named port (default: the first served port)."""
        return address(self.spec, self.placement, port)

    def _hold(self, frozen: Declaring) -> Declared:
        frozen.freeze(self._before.everything)
        return self._before

    def _declare(self, frozen: Declaring, described: Declaring) -> Declared:
        resting = standing.frozen(self._tracks, self._before)
        moving = standing.described(self.manifests, self.spec, self._tracks, self._before)
        frozen.freeze(resting)
        for manifest in moving:
            described.apply(
                manifest, standing.left_alone(manifest, self._tracks, self.spec, stopped=self._before.stopped)
            )
        return Declared.of(moving).with_track(other(self._tracks.described), resting)


class Held(pulumi.ComponentResource):
    """A workload that the settings name no more, while nothing of it may change."""

    def __init__(
        self, name: str, environment: Environment, before: Declared, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TYPE, name, None, opts)
        Declaring(self, environment, ()).freeze(before.everything)
        self.register_outputs({})


class Declaring:
    """Declares a workload's objects one by one, each controller after whatever its pods need."""

    def __init__(self, parent: pulumi.Resource, environment: Environment, after: Sequence[pulumi.Resource]) -> None:
        self.controllers: list[KubernetesObject] = []
        self._parent, self._environment = parent, environment
        self._needed: list[pulumi.Resource] = list(after)

    def apply(self, manifest: Manifest, left_alone: Sequence[str]) -> None:
        options = self._options(manifest["kind"])
        declared = apply(manifest, environment=self._environment, left_alone=left_alone, opts=options)
        self._keep(manifest["kind"], declared)

    def freeze(self, heads: Sequence[Head]) -> None:
        for head in heads:
            declared = freeze(head, environment=self._environment, opts=self._options(head.kind))
            self._keep(head.kind, declared)

    def _options(self, kind: str) -> pulumi.ResourceOptions:
        needed = list(self._needed) if kind in kubernetes.CONTROLLERS else None
        return pulumi.ResourceOptions(parent=self._parent, depends_on=needed)

    def _keep(self, kind: str, declared: KubernetesObject) -> None:
        if kind in kubernetes.CONTROLLERS:
            self.controllers.append(declared)
        if kind in kubernetes.NEEDED_FIRST:
            self._needed.append(declared)


def address(spec: WorkloadSpec, placement: Placement, port: str = "") -> Address:
    """Where `spec` is reached when placed so. Raises ValueError when it serves no such port."""
    for served in spec.ports:
        if served.served and port in ("", served.name):
            return Address(spec.name, placement.namespace, served.served_as or served.number)
    raise ValueError(f"{spec.name} serves no port {port or 'at all'}")
