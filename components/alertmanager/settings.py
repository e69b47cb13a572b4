"""`turnout:alertmanager`: who hears of an alert, and how it is known that alerts still get out.

Every address that must stay secret is written as a plain `url` and a secret `key`, the unguessable end of its path.
"""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from components.monitoring.settings import (
    Duration,
    Mebibytes,
    Name,
    ResourceSettings,
    Section,
    by_tier,
    resource_defaults,
)
from components.secret import Secret

VISIBLE_ONLY: Final = "visible-only"
HEARTBEAT: Final = "heartbeat"
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]


class SecretAddress(Section):
    """`url`, with `/` and the secret `key` after it where there is one."""

    url: Url
    key: Secret | None = None

    def whole(self) -> Secret:
        return Secret.join(self.url.rstrip("/"), "/", self.key) if self.key else Secret(self.url)


class Slack(Section):
    channel: str = Field(pattern=r"^[#@].+")
    url: Url = "https://hooks.slack.com/services"
    key: Secret

    def whole(self) -> Secret:
        return Secret.join(self.url.rstrip("/"), "/", self.key)


class Email(Section):
    to: str
    sender: str
    smarthost: str = Field(pattern=r"^[^:\s]+:\d+$", description="host:port")
    username: str
    password: Secret


class Receiver(Section):
    """Someone who hears of alerts, by one or more ways."""

    name: Name
    slack: Slack | None = None
    webhook: SecretAddress | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if not (self.slack or self.webhook or self.email):
            raise ValueError("needs at least one of slack, webhook, email")
        if self.name in (VISIBLE_ONLY, HEARTBEAT):
            raise ValueError(f"the name {self.name} is taken")
        return self


class Heartbeat(SecretAddress):
    """A dead man's switch: it is called all the time, and whoever runs it raises the alarm when the calls stop."""

    every: Duration = "1m"


class AlertmanagerSettings(Section):
    enabled: bool = True
    replicas: int = Field(default=1, ge=1, le=5)
    retention: Duration = "5d"
    storage: Mebibytes
    storage_class: str = ""
    resources: ResourceSettings
    receivers: tuple[Receiver, ...] = ()
    page: Name | None = None
    """Receiver of alerts that wake somebody. None: they are only visible in Alertmanager."""
    ticket: Name | None = None
    """Receiver of alerts that can wait for the working day. None: they are only visible in Alertmanager."""
    heartbeat: Heartbeat | None = None
    heartbeat_required: bool = False
    private_ranges: tuple[Annotated[str, Field(pattern=r"^[0-9.]+/\d{1,2}$")], ...] = ()
    """Address ranges of receivers that are not on the public internet; all others stay out of reach."""

    @model_validator(mode="after")
    def _receivers_exist(self) -> Self:
        known = [receiver.name for receiver in self.receivers]
        if len(set(known)) < len(known):
            raise ValueError("two receivers have the same name")
        for use, name in (("page", self.page), ("ticket", self.ticket)):
            if name is not None and name not in known:
                raise ValueError(f"{use}: there is no receiver {name!r}; there are: {', '.join(known) or 'none'}")
        return self

    @model_validator(mode="after")
    def _silence_is_noticed(self) -> Self:
        if self.heartbeat_required and self.heartbeat is None:
            raise ValueError(
                "heartbeat: required here, because without it nobody notices that alerts no longer get out"
            )
        return self


defaults = by_tier(
    dev={"storage": "256Mi", "resources": resource_defaults(10, "48Mi", "96Mi")},
    staging={"storage": "1Gi", "resources": resource_defaults(20, "64Mi", "128Mi")},
    prod={
        "replicas": 3,
        "storage": "2Gi",
        "heartbeat_required": True,
        "resources": resource_defaults(50, "128Mi", "256Mi"),
    },
)
