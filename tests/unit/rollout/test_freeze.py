"""Freeze windows: once and weekly, in any time zone, over both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cli.rollout.freeze import Window, frozen, thaw
from components.rollout.settings import WEEKDAYS, FreezeSettings

BERLIN = ZoneInfo("Europe/Berlin")
WEEK_MINUTES = 7 * 24 * 60


def once(begin: str, end: str, zone: str = "Etc/UTC") -> FreezeSettings:
    return FreezeSettings.model_validate({"from": begin, "to": end, "time_zone": zone, "reason": "holidays"})


def weekly(begin: str, end: str, zone: str = "Etc/UTC") -> FreezeSettings:
    return FreezeSettings.model_validate({"weekly": begin, "until": end, "time_zone": zone, "reason": "weekend"})


def at(text: str, zone: Any = UTC, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def test_end_does_not_belong_to_a_window() -> None:
    freeze = once("2026-12-20T00:00", "2027-01-03T00:00")
    assert frozen([freeze], at("2026-12-19T23:59:59.999999")) is None
    assert frozen([freeze], at("2026-12-20T00:00"))
    assert frozen([freeze], at("2027-01-02T23:59:59.999999"))
    assert frozen([freeze], at("2027-01-03T00:00")) is None


def test_moment_with_its_own_offset_wins_over_the_zone() -> None:
    freeze = once("2026-12-20T00:00+09:00", "2026-12-21T00:00+09:00", "Europe/Berlin")
    assert frozen([freeze], at("2026-12-19T15:00"))
    assert frozen([freeze], at("2026-12-20T15:00")) is None


def test_once_is_read_in_its_zone() -> None:
    freeze = once("2026-07-01T00:00", "2026-07-02T00:00", "Europe/Berlin")
    assert frozen([freeze], at("2026-06-30T22:00"))
    assert frozen([freeze], at("2026-06-30T21:59")) is None


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-20T15:59", False),  # a Friday
        ("2026-11-20T16:00", True),
        ("2026-11-22T12:00", True),
        ("2026-11-23T06:59", True),
        ("2026-11-23T07:00", False),
        ("2026-11-25T12:00", False),
    ],
)
def test_weekly_over_the_end_of_the_week(moment: str, inside: bool) -> None:
    assert bool(frozen([weekly("Fri 16:00", "Mon 07:00")], at(moment))) is inside


def test_weekly_within_a_day_and_over_six_of_them() -> None:
    lunch = weekly("Wed 12:00", "Wed 13:00")
    assert frozen([lunch], at("2026-11-25T12:30"))
    assert frozen([lunch], at("2026-11-25T13:00")) is None
    all_but_lunch = weekly("Wed 13:00", "Wed 12:00")
    assert frozen([all_but_lunch], at("2026-11-25T12:30")) is None
    assert frozen([all_but_lunch], at("2026-11-24T12:30"))


def test_same_begin_and_end_is_always() -> None:
    freeze = weekly("Mon 00:00", "Mon 00:00")
    assert frozen([freeze], at("2026-11-25T12:30"))
    assert thaw([freeze], at("2026-11-25T12:30")) is None


def test_weekly_is_local_on_both_sides_of_a_change_of_the_clock() -> None:
    freeze = weekly("Fri 16:00", "Mon 07:00", "Europe/Berlin")
    for friday in ("2026-03-27", "2026-03-20", "2026-10-23", "2026-10-30"):
        begins = at(f"{friday}T16:00", BERLIN)
        assert frozen([freeze], begins - timedelta(minutes=1)) is None
        window = frozen([freeze], begins)
        assert window and (window.ends.hour, window.ends.minute, window.ends.weekday()) == (7, 0, 0)
    over_spring = frozen([freeze], at("2026-03-28T12:00", BERLIN))
    over_autumn = frozen([freeze], at("2026-10-24T12:00", BERLIN))
    assert over_spring and over_autumn
    assert hours(over_spring) == 62
    assert hours(over_autumn) == 64


def hours(window: Window) -> float:
    return (window.ends.astimezone(UTC) - window.begins.astimezone(UTC)).total_seconds() / 3600


def test_hour_that_comes_twice_is_frozen_both_times() -> None:
    freeze = weekly("Sun 02:00", "Sun 02:30", "Europe/Berlin")
    for moment, inside in (("00:00", True), ("00:29", True), ("01:00", True), ("01:29", True), ("01:30", False)):
        assert bool(frozen([freeze], at(f"2026-10-25T{moment}"))) is inside, moment
    assert frozen([freeze], at("2026-10-25T02:29", BERLIN, fold=1))
    assert frozen([freeze], at("2026-10-25T02:30", BERLIN, fold=0))
    begins_in_it = weekly("Sun 02:15", "Sun 04:00", "Europe/Berlin")
    assert frozen([begins_in_it], at("2026-10-25T00:15"))
    assert frozen([begins_in_it], at("2026-10-25T00:14")) is None


def test_hour_that_is_left_out_is_read_with_the_offset_from_before() -> None:
    freeze = weekly("Sun 02:30", "Sun 05:00", "Europe/Berlin")
    assert frozen([freeze], at("2026-03-29T01:29")) is None
    window = frozen([freeze], at("2026-03-29T01:30"))  # 03:30 in Berlin
    assert window and hours(window) == 1.5
    inside_it = once("2026-03-29T02:10", "2026-03-29T02:50", "Europe/Berlin")
    found = frozen([inside_it], at("2026-03-29T01:20"))
    assert found and hours(found) == pytest.approx(2 / 3)


def test_zone_with_a_half_hour_change() -> None:
    freeze = weekly("Sun 01:00", "Sun 03:00", "Australia/Lord_Howe")
    window = frozen([freeze], at("2026-04-05T01:30", ZoneInfo("Australia/Lord_Howe")))
    assert window and hours(window) == 2.5


def test_zone_that_skipped_a_whole_day() -> None:
    freeze = weekly("Fri 00:00", "Sat 00:00", "Pacific/Apia")  # 2011-12-30 never was
    assert frozen([freeze], at("2011-12-29T23:00", ZoneInfo("Pacific/Apia"))) is None
    window = frozen([freeze], at("2011-12-23T12:00", ZoneInfo("Pacific/Apia")))
    assert window and hours(window) == 24


def test_of_several_the_one_that_ends_last_is_named_and_the_thaw_is_after_all() -> None:
    freezes = [weekly("Fri 16:00", "Mon 07:00"), once("2026-11-22T00:00", "2026-11-24T12:00")]
    window = frozen(freezes, at("2026-11-22T10:00"))
    assert window and window.reason == "holidays"
    assert thaw(freezes, at("2026-11-21T10:00")) == at("2026-11-24T12:00")
    assert thaw(freezes, at("2026-11-25T10:00")) == at("2026-11-25T10:00")


def test_windows_that_touch_have_no_gap() -> None:
    freezes = [once("2026-11-22T00:00", "2026-11-23T00:00"), once("2026-11-23T00:00", "2026-11-24T00:00")]
    assert thaw(freezes, at("2026-11-22T10:00")) == at("2026-11-24T00:00")


def test_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        frozen([], datetime(2026, 1, 1))


def test_window_says_when_and_why() -> None:
    window = frozen([weekly("Fri 16:00", "Mon 07:00", "Europe/Berlin")], at("2026-11-21T10:00"))
    assert str(window) == "Fri 2026-11-20 16:00 CET to Mon 2026-11-23 07:00 CET: weekend"


MOMENTS = some.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=some.just(UTC))
MINUTES = some.integers(0, WEEK_MINUTES - 1)


@settings(deadline=None)
@given(now=MOMENTS, zone=some.timezone_keys(allow_prefix=False), begin=MINUTES, end=MINUTES)
def test_away_from_changes_of_the_clock_it_is_what_the_wall_says(
    now: datetime, zone: str, begin: int, end: int
) -> None:
    where = ZoneInfo(zone)
    local = now.astimezone(where)
    if len({(now + timedelta(days=days)).astimezone(where).utcoffset() for days in range(-15, 16)}) > 1:
        return
    since_monday = local.weekday() * 24 * 60 + local.hour * 60 + local.minute
    inside = (since_monday - begin) % WEEK_MINUTES < ((end - begin) % WEEK_MINUTES or WEEK_MINUTES)
    assert bool(frozen([weekly(said(begin), said(end), zone)], now)) is inside


@settings(deadline=None)
@given(now=MOMENTS, zone=some.timezone_keys(allow_prefix=False), begin=MINUTES, end=MINUTES)
def test_window_holds_now_begins_as_said_and_is_thawed_after(now: datetime, zone: str, begin: int, end: int) -> None:
    freeze = weekly(said(begin), said(end), zone)
    window = frozen([freeze], now)
    if window is None:
        assert thaw([freeze], now) == now
        return
    assert window.begins <= now < window.ends
    assert f"{WEEKDAYS[window.begins.weekday()]} {window.begins:%H:%M}" == said(begin)
    thawed = thaw([freeze], now)
    assert thawed is None if begin == end else thawed and frozen([freeze], thawed) is None


def said(minutes: int) -> str:
    day, rest = divmod(minutes, 24 * 60)
    return f"{WEEKDAYS[day]} {rest // 60:02}:{rest % 60:02}"
