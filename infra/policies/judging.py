"""Every rule asked of every object, less what is excepted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from components.manifest import Manifest
from infra.policies.exceptions import Exempted
from infra.policies.rule import LEVELS, Level, Rule
from infra.policies.rules import RULES
from infra.policies.world import Thing, World

EXPIRED: Final = "expired-exception"
UNUSED: Final = "unused-exception"
PLACE: Final = "turnout:review.exceptions"


@dataclass(frozen=True)
class Broken:
    """A rule that an object breaks, or an exception that says nothing any more. `excepted`: by whom, till when, why."""

    rule: str
    level: Level
    where: str
    path: str
    message: str
    remedy: str
    excepted: str = ""


@dataclass(frozen=True)
class Tally:
    """How many objects keep a rule, break it, or are excepted from it."""

    rule: str
    level: Level
    passed: int = 0
    failed: int = 0
    excepted: int = 0


@dataclass(frozen=True)
class Judgement:
    """What came out, in the order of the rules; a disabled rule is not asked."""

    broken: tuple[Broken, ...]
    tallies: tuple[Tally, ...]


def levels(tier: str, raised: Mapping[str, Level]) -> dict[str, Level]:
    """Each rule's weight in a tier, or more where that was asked for: what lowers one is an exception alone."""
    return {rule.id: max(rule.levels.of(tier), raised.get(rule.id, "disabled"), key=LEVELS.index) for rule in RULES}


def judge(
    objects: Iterable[Manifest], weights: Mapping[str, Level], exceptions: Sequence[Exempted], today: date
) -> Judgement:
    """`weights`: see `levels`. `today`: in UTC."""
    world = World(objects)
    valid = [each for each in exceptions if not each.expired(today)]
    broken: list[Broken] = []
    tallies = []
    for rule in RULES:
        level = weights[rule.id]
        if level != "disabled":
            found, tally = _asked(rule, level, world, valid)
            broken += found
            tallies.append(tally)
    return Judgement((*broken, *_stale(exceptions, world, weights, today)), tuple(tallies))


def _asked(rule: Rule, level: Level, world: World, valid: Sequence[Exempted]) -> tuple[list[Broken], Tally]:
    broken: list[Broken] = []
    passed = failed = excepted = 0
    for thing in sorted(rule.things(world), key=lambda each: each.place):
        exempted = next((str(each) for each in valid if each.covers(rule.id, thing.place)), "")
        found = [
            Broken(rule.id, level, thing.place, fault.path, fault.message, rule.remedy, exempted)
            for fault in rule.faults(thing)
        ]
        broken += found
        passed += not found
        failed += bool(found and not exempted)
        excepted += bool(found and exempted)
    return broken, Tally(rule.id, level, passed, failed, excepted)


def _stale(exceptions: Iterable[Exempted], world: World, weights: Mapping[str, Level], today: date) -> Iterator[Broken]:
    """An exception that ended, or that nothing needs; one that came with a part that is left out is no matter."""
    for each in exceptions:
        where = f"{PLACE}.{each.name}"
        if each.expired(today):
            said = f"ended on {each.expires:%Y-%m-%d}, and {each.rule} holds again for {each.where}"
            yield Broken(EXPIRED, "advisory", where, "expires", said, "mend what it was for, or agree on a later date")
        elif not each.shipped and weights[each.rule] != "disabled" and not _is_used(each, world):
            said = f"no {each.where} breaks {each.rule}"
            yield Broken(UNUSED, "advisory", where, "where", said, "take it out, or correct its pattern")


def _is_used(exception: Exempted, world: World) -> bool:
    rule = next(rule for rule in RULES if rule.id == exception.rule)
    things: Iterator[Thing] = (each for each in rule.things(world) if exception.covers(rule.id, each.place))
    return any(next(iter(rule.faults(each)), None) for each in things)
