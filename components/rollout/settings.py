"""`turnout:rollout`: what is asked between the steps of a rollout, who may do what, and when nobody may."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from components.monitoring.settings import Name, Section, by_tier
from components.rollout.service import UrlPath
from components.secret import Secret

Event = Literal["start", "gate", "end", "rollback"]
NoData = Literal["go-on", "pause", "fail"]

_UTC: Final = frozenset({"UTC", "Etc/UTC"})
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOMENT: Final = rf"^({'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):[0-5]\d$"
_SUBJECT: Final = r"^(Group:\S.*|User:\S.*|ServiceAccount:[a-z0-9.-]+/[a-z0-9.-]+)$"


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    return text


def _zone(name: str) -> str:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone such as Europe/Berlin") from None
    return name


def zone(name: str) -> tzinfo:
    """The time zone of that name. ZoneInfoNotFoundError: this machine knows none such."""
    return UTC if name in _UTC else ZoneInfo(name)


Moment = Annotated[str, Field(pattern=_MOMENT)]
Expression = Annotated[str, AfterValidator(_expression)]
Subject = Annotated[str, Field(pattern=_SUBJECT)]


class GateSettings(Section):
    """One more question between the steps: exactly one of `query`, `http`, `command`."""

    query: str | None = Field(None, min_length=1)
    """PromQL with $service, $track, $namespace, $pods (an expression of the new track's), $window (since its traffic
    began). Every number that it answers must keep to the limit."""
    above: float | None = None
    """The query fails when it answers more than this."""
    below: float | None = None
    """The query fails when it answers less than this."""
    http: UrlPath | None = None
    """Asked of the service's new track."""
    status: int = Field(200, ge=100, le=599, description="that `http` must answer")
    command: tuple[str, ...] = ()
    """Run by whoever drives the rollout, told TURNOUT_ENVIRONMENT, _SERVICE, _TRACK, _BASELINE, _SINCE and _UNTIL, for
    as long as `interval`. It fails when it ends with another code than 0 (75: it cannot say)."""
    services: tuple[Expression, ...] = ()
    """Regular expressions of services' whole names. Empty: every service."""

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [name for name in ("query", "http", "command") if getattr(self, name)]
        if len(asked) != 1:
            raise ValueError(f"needs exactly one of query, http, command, not {' and '.join(asked) or 'none'}")
        if (self.query is not None) != ((self.above is None) != (self.below is None)):
            raise ValueError("a query needs exactly one of above, below; other questions need neither")
        return self

    def asks(self, service: str) -> bool:
        """Whether it is asked of that service."""
        return not self.services or any(re.fullmatch(each, service) for each in self.services)


class FreezeSettings(Section):
    """A time without rollouts: once (`from`, `to`) or every week (`weekly`, `until`)."""

    from_: datetime | None = Field(None, alias="from", description="2026-12-20T00:00, in `time_zone` unless it says")
    to: datetime | None = None
    """Its end, which no longer belongs to it."""
    weekly: Moment | None = None
    """Its beginning in every week: `Fri 16:00`."""
    until: Moment | None = None
    """Its end in every week: `Mon 07:00`."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "Etc/UTC"
    reason: str = Field(min_length=1, description="shown to whoever is refused")

    @model_validator(mode="after")
    def _once_or_weekly(self) -> Self:
        once, weekly = (self.from_, self.to), (self.weekly, self.until)
        if [each is not None for each in (*once, *weekly)] not in (
            [True, True, False, False],
            [False, False, True, True],
        ):
            raise ValueError("needs either from and to, or weekly and until")
        if self.from_ and self.to and self.span[0] >= self.span[1]:
            raise ValueError("to: is not after from")
        return self

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From and to of one that is not weekly, with their time zones."""
        if self.from_ is None or self.to is None:
            raise ValueError("a weekly freeze has no single span")
        return self._aware(self.from_), self._aware(self.to)

    def _aware(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=zone(self.time_zone))


class NotifySettings(Section):
    """Somebody who hears of rollouts."""

    url: Secret
    """An Apprise address: `slack://…`, `mailto://…`, `json://…`."""
    when: tuple[Event, ...] = ("start", "gate", "end", "rollback")
    """What is told: a rollout's start, a failed gate, its end, a rollback."""


class AccessSettings(Section):
    """Who has which role: `Group:NAME`, `User:NAME`, `ServiceAccount:NAMESPACE/NAME`."""

    viewer: tuple[Subject, ...] = ()
    """Sees everything but secrets; changes nothing."""
    deployer: tuple[Subject, ...] = ()
    """Applies, rolls out, rolls back."""
    approver: tuple[Subject, ...] = ()
    """Lets a waiting rollout go on that somebody else started."""
    on_call: tuple[Subject, ...] = Field(
        default=(), alias="on-call", description="rolls back, pins and scales; no more"
    )


class RolloutSettings(Section):
    """What is asked between the steps of a rollout, who may do what, and when nobody may."""

    interval: int = Field(10, ge=1, le=3600, description="seconds between two rounds of questions")
    at_least: int = Field(50, ge=1, description="requests below which no gate passes; fewer are no data")
    no_data: NoData = "pause"
    """What follows when a question cannot be answered."""
    baseline: bool = False
    """Compare the new track with pods of the old one, of its own age if possible, and not only with the objective."""
    approval: bool = False
    """Somebody other than the starter has to approve before the new track gets traffic."""
    deadline: int = Field(3600, ge=30, description="seconds for the whole rollout, after which it is taken back")
    gates: dict[Name, GateSettings] = Field(default_factory=dict)
    """Questions besides the built-in ones."""
    freeze: tuple[FreezeSettings, ...] = ()
    """Times without rollouts; `--override-freeze` with a reason goes through all the same, and is written down."""
    notify: dict[Name, NotifySettings] = Field(default_factory=dict)
    """Who hears of rollouts."""
    access: AccessSettings = AccessSettings()


defaults = by_tier(
    dev={"no_data": "go-on", "deadline": 900},
    staging={"no_data": "pause", "deadline": 3600},
    prod={"no_data": "fail", "approval": True, "deadline": 86400},
)
