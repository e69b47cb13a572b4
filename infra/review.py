"""`turnout:review`: what a reviewer has to approve before it is applied."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from components.monitoring.settings import Section, by_tier
from infra.faults import nearest
from infra.risks import LEVELS, RISKS

Level = Literal["disabled", "advisory", "mandatory"]
Answer = Literal["allow", "approve", "refuse"]

_KNOWN: Final = (*RISKS, *LEVELS)


def _risk(name: str) -> str:
    if name not in _KNOWN:
        raise ValueError(f"{name!r} is neither a risk's code nor a level{nearest(name, _KNOWN)}")
    return name


class SecretSettings(Section):
    """What `turnout validate` asks of the environment's own secrets."""

    max_age_days: int = Field(default=365, ge=1, description="days after which a secret has to be set anew")


def _rule(name: str) -> str:
    from infra.policies import BY_ID

    if name not in BY_ID:
        raise ValueError(f"{name!r} is no policy{nearest(name, BY_ID)}")
    return name


class PolicyException(Section):
    """Where a policy does not hold for a while."""

    rule: Annotated[str, AfterValidator(_rule)]
    """The policy's name (`turnout policy list`)."""
    where: str = Field(pattern=r"^\S+ \S+$")
    """The objects, as findings name them: `Kind namespace/name`, with `*` and `?`."""
    reason: str = Field(min_length=10)
    """Why, for whoever reads it in a year."""
    owner: str = Field(min_length=1)
    """Who answers for it."""
    expires: date
    """The last day on which it holds (UTC), as `2027-06-30`. After it the policy holds again."""


class IgnoredDrift(Section):
    """Where a change that others made is not counted as drift for a while."""

    where: str = Field(pattern=r"^\S+ \S+$")
    """The objects: `Kind namespace/name` (`Kind name` where it has no namespace), with `*` and `?`."""
    field: str = Field(default="*", min_length=1)
    """The fields, as `turnout drift` names them, with `*` and `?`. `*` alone also passes over a deletion."""
    reason: str = Field(min_length=10)
    """Why, for whoever reads it in a year."""
    owner: str = Field(min_length=1)
    """Who answers for it."""
    expires: date
    """The last day on which it holds (UTC), as `2027-06-30`. After it the drift counts again."""


class DriftSettings(Section):
    """What `turnout drift` passes over."""

    ignore: dict[str, IgnoredDrift] = Field(default_factory=dict)
    """What is not counted for a while, each under a name of its own; `turnout drift ENV --ignore` writes them."""


class ReviewSettings(Section):
    """What a reviewer has to approve before it is applied."""

    thresholds: dict[Annotated[str, AfterValidator(_risk)], Answer] = Field(default_factory=dict)
    """A risk's code, or a level that stands for itself and the worse ones, to `allow`, `approve` (somebody else has to
    approve this very plan) or `refuse`. A code counts before a level, a worse level before a lesser one."""
    secrets: SecretSettings = SecretSettings()
    policies: dict[Annotated[str, AfterValidator(_rule)], Level] = Field(default_factory=dict)
    """A policy to `advisory` or `mandatory`, where that is more than its tier asks. What lowers one is an exception."""
    exceptions: dict[str, PolicyException] = Field(default_factory=dict)
    """Where policies do not hold for a while, each under a name of its own; a finding while it is out of date."""

    drift: DriftSettings = DriftSettings()

    def answer(self, code: str, level: str) -> Answer:
        """What is asked of a change with that risk."""
        if code in self.thresholds:
            return self.thresholds[code]
        ranks = range(LEVELS.index(level), -1, -1) if level in LEVELS else ()
        stated = (self.thresholds[LEVELS[rank]] for rank in ranks if LEVELS[rank] in self.thresholds)
        return next(stated, "allow")


def defaults(tier: str) -> dict[str, Any]:
    """With the exceptions of parts that come with turnout, which hold where such a part runs."""
    from infra import shipped

    return {**_of_tier(tier), "exceptions": shipped.exceptions(tier)}


_of_tier = by_tier(
    dev={},
    staging={},
    prod={"thresholds": {"critical": "approve", "deletes-data": "approve"}},
)
