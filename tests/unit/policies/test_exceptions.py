"""An exception holds for its objects and its rule, until its day is over; one that is out of date is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from infra.policies import BY_ID, EXPIRED, UNUSED, Broken, Exempted, Judgement, Tally, fixtures, judge
from infra.policies.rule import Level

LAST_DAY = date(2027, 3, 31)
RULE = "read-only-root"
EXCEPTION = Exempted(
    "mailer", RULE, "Deployment shop/w*", "Writes beside its program until 2.0.", "team-mail", LAST_DAY
)
SAID = "team-mail, until 2027-03-31: Writes beside its program until 2.0."


def judged(*exceptions: Exempted, today: date = LAST_DAY, level: Level = "mandatory") -> Judgement:
    objects = fixtures.patched(fixtures.sound(), fixtures.of(RULE).fails)
    return judge(objects, dict.fromkeys(BY_ID, level), exceptions, today)


def of_rule(judgement: Judgement) -> list[Broken]:
    return [each for each in judgement.broken if each.rule == RULE]


def stale(judgement: Judgement) -> list[tuple[str, Level, str]]:
    return [(each.rule, each.level, each.where) for each in judgement.broken if each.rule in (EXPIRED, UNUSED)]


def tally(judgement: Judgement) -> Tally:
    return next(each for each in judgement.tallies if each.rule == RULE)


def test_without_an_exception_the_rule_is_broken() -> None:
    assert [each.excepted for each in of_rule(judged())] == [""]
    assert tally(judged()) == Tally(RULE, "mandatory", passed=2, failed=1)


def test_on_its_last_day_it_still_holds_and_says_by_whom() -> None:
    assert [each.excepted for each in of_rule(judged(EXCEPTION))] == [SAID]
    assert tally(judged(EXCEPTION)) == Tally(RULE, "mandatory", passed=2, excepted=1)
    assert stale(judged(EXCEPTION)) == []


def test_a_day_later_the_rule_holds_again_and_the_exception_is_told() -> None:
    found = judged(EXCEPTION, today=LAST_DAY + timedelta(days=1))
    assert [each.excepted for each in of_rule(found)] == [""]
    assert stale(found) == [(EXPIRED, "advisory", "turnout:review.exceptions.mailer")]


@pytest.mark.parametrize(
    "other",
    [
        replace(EXCEPTION, where="StatefulSet shop/w*"),
        replace(EXCEPTION, where="Deployment other/web"),
        replace(EXCEPTION, where="Deployment shop/W*"),
        replace(EXCEPTION, rule="seccomp"),
    ],
    ids=["kind", "namespace", "case", "rule"],
)
def test_one_that_matches_nothing_excepts_nothing_and_is_told(other: Exempted) -> None:
    found = judged(other)
    assert [each.excepted for each in of_rule(found)] == [""]
    assert stale(found) == [(UNUSED, "advisory", "turnout:review.exceptions.mailer")]


def test_one_that_nobody_wrote_is_not_told_while_its_part_is_left_out() -> None:
    unused = replace(EXCEPTION, where="Deployment other/web", shipped=True)
    assert stale(judged(unused)) == []
    assert stale(judged(unused, today=LAST_DAY + timedelta(days=1))) != []


def test_a_disabled_rule_is_not_asked_and_needs_no_exception() -> None:
    found = judged(EXCEPTION, level="disabled")
    assert found == Judgement((), ())
