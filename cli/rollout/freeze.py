"""When nobody may roll out: freeze windows, once or every week, in their own time zone. Pure.

A window is what clocks on the wall say there. Where a change to summer time leaves an hour out, a time inside it is
read with the offset from before; where an hour comes twice, a window begins with its first and ends with its second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from components.rollout.settings import WEEKDAYS, FreezeSettings, zone

_WEEK = timedelta(days=7)
_CHAINED = 1_000
"""Windows that may follow each other without a gap before it counts as for ever (19 years of weeks)."""


@dataclass(frozen=True)
class Window:
    """One time without rollouts: from `begins` up to, but not with, `ends` (both with a time zone)."""

    begins: datetime
    ends: datetime
    reason: str

    def __contains__(self, moment: datetime) -> bool:
        return _instant(self.begins) <= _instant(moment) < _instant(self.ends)

    def __str__(self) -> str:
        return f"{_shown(self.begins)} to {_shown(self.ends)}: {self.reason}"


def frozen(freezes: Iterable[FreezeSettings], now: datetime) -> Window | None:
    """The window that `now` is in; of several the one that ends last. ValueError: `now` has no time zone."""
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    found = [window for freeze in freezes for window in _around(freeze, now) if now in window]
    return max(found, key=lambda window: _instant(window.ends), default=None)


def thaw(freezes: Iterable[FreezeSettings], now: datetime) -> datetime | None:
    """The first moment from `now` on that is in no window; None: there is none in sight."""
    windows, moment = list(freezes), now
    for _ in range(_CHAINED):
        window = frozen(windows, moment)
        if window is None:
            return moment
        moment = window.ends
    return None


def _around(freeze: FreezeSettings, now: datetime) -> Iterator[Window]:
    """The window of one that is not weekly, or those of a weekly one that can hold `now`."""
    if freeze.from_ is not None and freeze.to is not None:
        yield Window(_begin(freeze.from_, freeze), _end(freeze.to, freeze), freeze.reason)
        return
    assert freeze.weekly and freeze.until
    begin, length = _of_week(freeze.weekly), _length(freeze.weekly, freeze.until)
    monday = _monday(now.astimezone(zone(freeze.time_zone)))
    for week in (-2, -1, 0, 1):
        begins = monday + week * _WEEK + begin
        yield Window(_begin(begins, freeze), _end(begins + length, freeze), freeze.reason)


def _begin(moment: datetime, freeze: FreezeSettings) -> datetime:
    return moment if moment.tzinfo else _earliest(moment, zone(freeze.time_zone))


def _end(moment: datetime, freeze: FreezeSettings) -> datetime:
    return moment if moment.tzinfo else _latest(moment, zone(freeze.time_zone))


def _earliest(wall: datetime, where: tzinfo) -> datetime:
    """The moment at which clocks first say that; in an hour left out, with the offset from before."""
    return wall.replace(tzinfo=where, fold=0)


def _latest(wall: datetime, where: tzinfo) -> datetime:
    """The moment at which clocks last say that; in an hour left out, with the offset from before."""
    both = [wall.replace(tzinfo=where, fold=fold) for fold in (0, 1)]
    return max(both, key=_instant)


def _instant(moment: datetime) -> datetime:
    """Two moments of one time zone compare by what the clock says, which an hour that comes twice belies."""
    return moment.astimezone(UTC)


def _monday(local: datetime) -> datetime:
    """Midnight of the week's Monday, as clocks there say."""
    return datetime.combine(local.date() - timedelta(days=local.weekday()), time())


def _of_week(moment: str) -> timedelta:
    """`Fri 16:00` as the time since Monday's midnight."""
    day, clock = moment.split()
    hours, minutes = clock.split(":")
    return timedelta(days=WEEKDAYS.index(day), hours=int(hours), minutes=int(minutes))


def _length(begin: str, end: str) -> timedelta:
    """From one moment of the week to the next other; a whole week where both are the same."""
    return (_of_week(end) - _of_week(begin)) % _WEEK or _WEEK


def _shown(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M} {moment.tzname()}"
