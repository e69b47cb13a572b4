"""`services.NAME.rollout` and `.route`: how a new release of one service gets its traffic."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.monitoring.settings import Name, Section
from components.workload.spec import Strategy

__all__ = ["Percent", "ServiceRollout", "ServiceRoute", "Strategy", "UrlPath"]

Percent = Annotated[int, Field(ge=1, le=99)]
UrlPath = Annotated[str, Field(pattern=r"^/\S*$")]
HostName = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]


class ServiceRollout(Section):
    """How a new release of the service takes over."""

    strategy: Strategy = "rolling"
    """rolling: pod by pod. blue-green: beside the old one, then all at once. canary: beside it, share by share."""
    steps: tuple[Percent, ...] = Field(
        default=(10, 25, 50),
        min_length=1,
        description="canary: percent of the traffic, step by step; 100 always follows",
    )
    soak: int = Field(default=10, ge=0, le=86400, description="seconds that each step is watched before the next")
    warm: int = Field(
        default=60, ge=0, le=604800, description="seconds that the old track stays ready after the last step"
    )
    preview: UrlPath | None = None
    """Asked of the new track before it gets traffic, and must answer 200. By default its `ready` path."""

    @model_validator(mode="after")
    def _steps_grow(self) -> Self:
        if list(self.steps) != sorted(set(self.steps)):
            raise ValueError(f"steps: each must be more than the one before, not {list(self.steps)}")
        return self

    @property
    def two_tracks(self) -> bool:
        return self.strategy != "rolling"


class ServiceRoute(Section):
    """A gateway's way to the service, which is thereby `public`.

    A canary's shares are then exact weights and need no number of pods.
    """

    gateway: Name
    """The Gateway's name; turnout makes an HTTPRoute of its own for the service."""
    namespace: Name | None = None
    """Where the Gateway is; by default beside the service."""
    listener: Name | None = None
    """The Gateway's listener, such as `https`; by default every one, plain HTTP too, which prod's policies refuse."""
    hostnames: tuple[HostName, ...] = ()
    """Empty: whatever the Gateway listens to."""
    path: UrlPath = "/"
    """Requests under this path go to the service."""
