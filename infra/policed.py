"""The policies as one environment has them: its tier's levels, what its settings raise, and its exceptions. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from components.manifest import Manifest
from infra.model import Settings
from infra.policies import Exempted, Judgement, Level, judge, levels
from infra.review import PolicyException, ReviewSettings, defaults


def judgement(objects: Iterable[Manifest], settings: Settings, today: date) -> Judgement:
    """Every rule asked of what the environment declares. `today`: in UTC."""
    return judge(objects, weights(settings), exceptions(settings), today)


def weights(settings: Settings) -> dict[str, Level]:
    """How much each rule weighs there. A sandbox serves nobody: it is judged as dev, whatever it rehearses."""
    return levels("dev" if settings.cluster.sandbox else settings.tier, settings.review.policies)


def exceptions(settings: Settings) -> list[Exempted]:
    """Those of the settings; one that stands there as turnout brings it is taken for nobody's."""
    shipped = ReviewSettings.model_validate(defaults(settings.tier)).exceptions
    return [_exempted(name, each, each == shipped.get(name)) for name, each in settings.review.exceptions.items()]


def now() -> date:
    """Today, in UTC."""
    return datetime.now(UTC).date()


def _exempted(name: str, each: PolicyException, shipped: bool) -> Exempted:
    return Exempted(name, each.rule, each.where, each.reason, each.owner, each.expires, shipped)
