"""The business clock: when a target is used up, how much open time lies between two instants, and what is left."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from domain.kernel.business_calendar import BusinessCalendar, merged
from domain.kernel.business_errors import (
    CalendarExhaustedError,
    NaiveInstantError,
    NegativeTargetError,
    NoOpenHoursError,
    PeriodEndBeforeStartError,
)
from domain.kernel.openyear import EPOCH, MICRO, OpenTime, OpenYear, micros
from domain.kernel.zones import instant_of, wall_clock

Span = tuple[datetime, datetime]
"""From the first instant up to, not including, the second."""

HORIZON_YEARS = 25
"""How far ahead or back a target may be looked for."""
FIRST_YEAR, LAST_YEAR = 1900, 2300
"""The years that a calendar can be asked about."""


class Measured(NamedTuple):
    """Open time of a span: `gross` disregards pauses, `paused` is its part inside them, `elapsed` the difference."""

    elapsed: timedelta
    gross: timedelta
    paused: timedelta


class BusinessClock:
    """Answers questions about one calendar. Years are compiled when first needed and kept, so hold on to a clock."""

    def __init__(self, calendar: BusinessCalendar) -> None:
        self.calendar = calendar
        self._rules = OpenTime(calendar)
        self._years: dict[int, OpenYear] = {}

    def due(self, start: datetime, target: timedelta, pauses: Sequence[Span] = ()) -> datetime:
        """The instant, in UTC, at which `target` open time after `start` is used up; the open part of pauses is cut out.

        One that is used up exactly at closing time is due then: work done a second after closing is late. A target of zero
        gives `start` when that is open, else the next opening.

        Raises:
            NegativeTargetError: a target below zero.
            NoOpenHoursError: the calendar never opens.
            CalendarExhaustedError: not used up within `HORIZON_YEARS`.
            PeriodEndBeforeStartError: a pause that ends before it starts.
            NaiveInstantError: an instant without an offset.
        """
        left = micros(target)
        if left < 0:
            raise NegativeTargetError(f"a target of {target} lies before its start; give zero or more")
        self._check_hours()
        at, stops = micros_at(start), spans_of(pauses)
        return instant_at(self._forward(at, left, stops) if left else self._next_open(at, stops))

    def is_late(self, end: datetime, start: datetime, target: timedelta, pauses: Sequence[Span] = ()) -> bool:
        """Whether what was promised within `target` from `start` on is done too late at `end`. Errors as `due`."""
        return end > self.due(start, target, pauses)

    def measure(self, start: datetime, end: datetime, pauses: Sequence[Span] = ()) -> Measured:
        """Open time in `[start, end)`; zero when `end` is not after `start`.

        Raises:
            NoOpenHoursError, CalendarExhaustedError, PeriodEndBeforeStartError, NaiveInstantError: as `due`.
        """
        self._check_hours()
        first, last = micros_at(start), micros_at(end)
        gross = paused = 0
        stops = spans_of(pauses)
        if first < last:
            gross = self._between(first, last)
            for begin, finish in stops:
                if finish > first and begin < last:
                    paused += self._between(max(begin, first), min(finish, last))
        return Measured(*(timedelta(microseconds=part) for part in (gross - paused, gross, paused)))

    def elapsed(self, start: datetime, end: datetime, pauses: Sequence[Span] = ()) -> timedelta:
        """Open time from `start` to `end` without the open part of pauses; errors as `measure`."""
        return self.measure(start, end, pauses).elapsed

    def next_open(self, at: datetime) -> datetime:
        """`at` when open, else the next opening, in UTC. Errors as `due`."""
        return self.due(at, timedelta(0))

    def add_days(self, start: datetime, days: int) -> datetime:
        """`start` moved forward by business days, in UTC: by dates that have open time, at the same local clock time, then on to
        the next open instant.

        Raises:
            NegativeTargetError: days below zero.
            NoOpenHoursError, CalendarExhaustedError, NaiveInstantError: as `due`.
        """
        self._check_hours()
        if days < 0:
            raise NegativeTargetError("business days only go forward; give zero or more days")
        at = micros_at(start)
        if days:
            local = wall_clock(start, self.calendar.timezone)
            index = bisect_right(self._year(local.year).days, local.toordinal())
            on = date.fromordinal(self._open_day(local.year, index + days - 1)[1])
            at = micros_at(instant_of(datetime.combine(on, local.time()), self.calendar.timezone))
        return instant_at(self._next_open(at))

    def periods(self, first: date, last: date) -> list[Span]:
        """The open periods of the local dates `first` to `last`, both included, in order and split at local midnight.

        Raises:
            PeriodEndBeforeStartError: `last` lies before `first`.
            CalendarExhaustedError: dates outside `FIRST_YEAR` to `LAST_YEAR`.
        """
        if last < first:
            raise PeriodEndBeforeStartError(f"the dates {first} to {last} end before they start; swap them")
        found: list[Span] = []
        for number in range(first.year, last.year + 1):
            year = self._year(number)
            begin, end = bisect_left(year.day, first.toordinal()), bisect_right(year.day, last.toordinal())
            pairs = zip(year.opens[begin:end], year.closes[begin:end], strict=True)
            found += [(instant_at(opens), instant_at(closes)) for opens, closes in pairs]
        return found

    def _year(self, number: int) -> OpenYear:
        year = self._years.get(number)
        if year is None:
            if not FIRST_YEAR <= number <= LAST_YEAR:
                raise CalendarExhaustedError(
                    f"the calendar {self.calendar.id!r} is asked about {number}; ask about {FIRST_YEAR} to {LAST_YEAR}"
                )
            year = self._years[number] = self._rules.compile(number)
        return year

    def _year_of(self, at: int) -> int:
        """The year that the calendar's clocks show at `at`."""
        number = instant_at(at).year
        year = self._year(number)
        if at < year.start:
            return number - 1
        return number if at < year.end else number + 1

    def _between(self, start: int, end: int) -> int:
        first, last = self._year_of(start), self._year_of(end)
        passed = sum(self._year(number).total for number in range(first, last))
        return passed + self._year(last).open_before(end) - self._year(first).open_before(start)

    def _forward(self, at: int, left: int, stops: Sequence[tuple[int, int]]) -> int:
        for begin, end in stops:
            if end <= at:
                continue
            if begin > at:
                gap = self._between(at, begin)
                if left <= gap:
                    break
                left -= gap
            at = end
        number = self._year_of(at)
        wanted = self._year(number).open_before(at) + left
        limit = number + HORIZON_YEARS
        while wanted > (total := self._year(number).total):
            wanted -= total
            number = self._beyond(number, limit)
        year = self._year(number)
        index = bisect_left(year.through, wanted)
        return year.closes[index] - (year.through[index] - wanted)

    def _next_open(self, at: int, stops: Sequence[tuple[int, int]] = ()) -> int:
        while True:
            number = self._year_of(at)
            limit = number + HORIZON_YEARS
            year = self._year(number)
            index = bisect_right(year.opens, at) - 1
            if index < 0 or at >= year.closes[index]:
                index += 1
                while index >= len(year.opens):
                    number, index = self._beyond(number, limit), 0
                    year = self._year(number)
                at = year.opens[index]
            stop = next((end for begin, end in stops if begin <= at < end), None)
            if stop is None:
                return at
            at = stop

    def _beyond(self, number: int, limit: int) -> int:
        """The year after `number`, up to `limit`."""
        if number == limit:
            raise CalendarExhaustedError(
                f"the calendar {self.calendar.id!r} has not enough open time within {HORIZON_YEARS} years; "
                "check its hours, its closures and the target"
            )
        return number + 1

    def _open_day(self, number: int, index: int) -> tuple[int, int]:
        """The date (year, ordinal) with open time that lies `index` places after the first one of a year."""
        limit = number + HORIZON_YEARS
        while index >= (count := len(self._year(number).days)):
            index -= count
            number = self._beyond(number, limit)
        return number, self._year(number).days[index]

    def _check_hours(self) -> None:
        if not self.calendar.has_hours:
            raise NoOpenHoursError(f"the calendar {self.calendar.id!r} is closed on all days; give it opening hours")


@lru_cache(maxsize=256)
def clock_of(calendar: BusinessCalendar) -> BusinessClock:
    """The clock of a calendar version, kept so that its compiled years are shared."""
    return BusinessClock(calendar)


def micros_at(at: datetime) -> int:
    try:
        return micros(at - EPOCH)
    except TypeError as cause:
        raise NaiveInstantError(f"{at} has no offset from UTC; write 2026-01-05T09:00:00+01:00 or with Z") from cause


def instant_at(at: int) -> datetime:
    try:
        return EPOCH + at * MICRO
    except OverflowError as cause:
        raise CalendarExhaustedError("the result lies outside the years of the calendar; lower the target") from cause


def _checked(span: Span) -> tuple[int, int]:
    begin, end = micros_at(span[0]), micros_at(span[1])
    if end < begin:
        raise PeriodEndBeforeStartError(
            f"the span from {span[0].isoformat()} to {span[1].isoformat()} ends before it starts; swap the two instants"
        )
    return begin, end


def spans_of(pauses: Sequence[Span]) -> list[tuple[int, int]]:
    """Spans in microseconds, in order, those that touch or overlap joined."""
    return merged([_checked(span) for span in pauses]) if pauses else []
