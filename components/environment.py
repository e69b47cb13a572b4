"""What every component is told about the environment that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

from components.names import COMPONENT, ENVIRONMENT, WORKLOAD
from components.tracks import TRACK_LABEL

if TYPE_CHECKING:
    import pulumi

Tier = Literal["dev", "staging", "prod"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
Stack = Literal["app", "monitoring", "agents", "control"]
AGENTS_REASON: Final = "Agents read their node: pod logs, mounts, /proc and /sys. Nothing else may run here."
"""Why Pod Security is not enforced for the agents."""


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

    @property
    def of_workloads(self) -> tuple[str, str, str]:
        """Those that workloads run in. A destroy takes them away."""
        return self.app, self.monitoring, self.agents

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
            WORKLOAD: name,
            "app.kubernetes.io/part-of": self.stack,
            "app.kubernetes.io/managed-by": "turnout",
            ENVIRONMENT: self.environment,
            COMPONENT: self.component,
        }
        return labels | ({TRACK_LABEL: track} if track else {})

    def selector(self, name: str, track: str | None = None) -> dict[str, str]:
        """The labels that pick exactly the pods of workload `name` (and track)."""
        selector = {WORKLOAD: name, ENVIRONMENT: self.environment}
        return selector | ({TRACK_LABEL: track} if track else {})


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
