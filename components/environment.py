"""What every component is told about the environment that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import pulumi

Tier = Literal["dev", "staging", "prod"]
Stack = Literal["app", "monitoring", "agents", "control"]

DESCRIBED_TRACK: Final = "a"


@dataclass(frozen=True, kw_only=True)
class Namespaces:
    """The environment's four namespaces. `control` holds lock, releases and audit, and outlives the environment."""

    app: str
    monitoring: str
    agents: str
    control: str

    @classmethod
    def of(cls, environment: str) -> Namespaces:
        return cls(
            app=environment,
            monitoring=f"{environment}-monitoring",
            agents=f"{environment}-agents",
            control=f"turnout-{environment}",
        )

    def of_stack(self, stack: Stack) -> str:
        return {"app": self.app, "monitoring": self.monitoring, "agents": self.agents, "control": self.control}[stack]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a workload's objects go and how they are labelled: everything that pure rendering needs."""

    environment: str
    tier: Tier
    namespaces: Namespaces
    stack: Stack
    component: str
    api_ports: tuple[int, ...] = ()
    """Ports on which the API server listens, for workloads that talk to it; empty allows every port."""

    @property
    def namespace(self) -> str:
        return self.namespaces.of_stack(self.stack)

    def labels(self, name: str, track: str | None = None) -> dict[str, str]:
        """The labels that every object of workload `name` carries."""
        labels = {
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/part-of": self.stack,
            "app.kubernetes.io/managed-by": "turnout",
            "turnout.dev/environment": self.environment,
            "turnout.dev/component": self.component,
        }
        return labels | ({"turnout.dev/track": track} if track else {})

    def selector(self, name: str, track: str | None = None) -> dict[str, str]:
        """The labels that pick exactly the pods of workload `name` (and track)."""
        selector = {"app.kubernetes.io/name": name, "turnout.dev/environment": self.environment}
        return selector | ({"turnout.dev/track": track} if track else {})


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment: names, image references, and the two providers that write to its cluster."""

    name: str
    tier: Tier
    namespaces: Namespaces
    image: Callable[[str], str]
    """Name of a third-party image (`prometheus`, `loki`, …) to the reference that this environment pulls."""
    registry: bool
    """Whether images can be pulled from a public registry. False in a sandbox."""
    cluster: pulumi.ProviderResource
    adopting: pulumi.ProviderResource
    """Takes over objects that exist already; for content-hashed configuration that outlives its release."""
    api_ports: tuple[int, ...] = ()
    declared: Mapping[str, pulumi.Resource] = field(default_factory=dict)
    """Namespace name to the resource that makes it: what every object in that namespace waits for."""

    def place(self, stack: Stack, component: str) -> Placement:
        return Placement(
            environment=self.name,
            tier=self.tier,
            namespaces=self.namespaces,
            stack=stack,
            component=component,
            api_ports=self.api_ports,
        )
