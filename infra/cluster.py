"""Which cluster an environment lives in, and where its images come from. Loads without Pulumi."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from components import versions
from components.environment import Tier
from components.monitoring.settings import Name, Section

SANDBOX_REGISTRY: Final = "turnout.local"
TIERS: Final[Mapping[str, Tier]] = {"dev": "dev", "staging": "staging", "prod": "prod"}


class ClusterSettings(Section):
    """`turnout:cluster`: a sandbox on this machine, or a cluster that a kubeconfig leads to."""

    tier: Tier
    """By default the environment's own name; an environment of another name says which of the three it is like."""
    sandbox: Name | None = None
    """A cluster on this machine: `turnout sandbox up NAME`."""
    kubeconfig: str | None = None
    """Path; by default $KUBECONFIG or ~/.kube/config."""
    context: str | None = None
    """Of the kubeconfig; by default its current one, but prod has to name one."""
    registry: bool | Literal["auto"] = "auto"
    """Whether public images can be pulled. auto: yes, but not in a sandbox."""
    api_ports: tuple[int, ...] = Field(
        default=(443, 6443), description="where the API server listens; for network policies"
    )

    @model_validator(mode="after")
    def _one_cluster(self) -> Self:
        if self.sandbox and (self.kubeconfig or self.context):
            raise ValueError("sandbox: name either a sandbox or a kubeconfig and context, not both")
        if self.tier == "prod" and not (self.sandbox or self.context):
            raise ValueError(
                "context: prod has to name one, or whatever cluster is current on a machine would be changed"
            )
        return self

    @property
    def pulls(self) -> bool:
        return self.registry if isinstance(self.registry, bool) else self.sandbox is None


@dataclass(frozen=True)
class Cluster:
    """How to reach a cluster. `context` None: the kubeconfig's current one."""

    kubeconfig: Path
    context: str | None
    sandbox: str | None = None

    @property
    def identity(self) -> str:
        """What tells this cluster from another one in the state: a change of it moves the whole environment."""
        return f"sandbox {self.sandbox}" if self.sandbox else f"context {self.context or 'current'}"


def defaults(environment: str) -> dict[str, Any]:
    """The tier, where the environment's name says it."""
    return {"tier": TIERS[environment]} if environment in TIERS else {}


def resolve(settings: ClusterSettings) -> Cluster:
    """Where the cluster's kubeconfig lies on this machine. The file need not exist yet."""
    if settings.sandbox:
        return Cluster(sandbox_kubeconfig(settings.sandbox), None, settings.sandbox)
    chosen = settings.kubeconfig or os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config"
    return Cluster(Path(chosen).expanduser(), settings.context)


def sandbox_kubeconfig(name: str) -> Path:
    """The same folder as `cli.paths` names (a test holds them together): infra loads nothing of cli."""
    if own := os.environ.get("TURNOUT_STATE"):
        base = Path(own).expanduser()
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "turnout"
    return base / "sandboxes" / name / "kubeconfig"


def portable(path: Path) -> str:
    """The path as the state keeps it: `~/…` under the home folder, so that two people's states do not differ."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def image(settings: ClusterSettings, name: str) -> str:
    """The reference of a third-party image: in a sandbox the one built on this machine, where there is one."""
    built = versions.SANDBOX_IMAGES if settings.sandbox else {}
    return built.get(name) or versions.IMAGES[name]


def app_image(settings: ClusterSettings, repository: str, version: str, digest: str | None) -> str:
    """The reference of the app's image; in a sandbox always the one that was built on this machine."""
    if settings.sandbox:
        return f"{SANDBOX_REGISTRY}/{repository.rpartition('/')[2]}:{version}"
    return f"{repository}:{version}@{digest}" if digest else f"{repository}:{version}"
