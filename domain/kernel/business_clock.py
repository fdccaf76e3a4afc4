"""The business clock: when a target is used up, how much open time lies between two instants, and what is left."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from domain.kernel.business_calendar import BusinessCalendar, merged
from domain.kernel.business_clock_options import (
    DEFAULTS,
    ClockOptions,
    DayMethod,
    Negative,
    NoHours,
    PauseClock,
    TargetBoundary,
    TimePrecision,
)
from domain.kernel.business_errors import (
    CalendarExhaustedError,
    NaiveInstantError,
    NegativeTargetError,
    NoOpenHoursError,
    PeriodEndBeforeStartError,
)
from domain.kernel.openyear import EPOCH, MICRO, MINUTE, OpenTime, OpenYear, micros
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

    def due(
        self, start: datetime, target: timedelta, pauses: Sequence[Span] = (), options: ClockOptions = DEFAULTS
    ) -> datetime:
        """The instant, in UTC, at which `target` open time after `start` is used up; pauses are cut out.

        A target of zero gives `start` when that is open, else the next opening.

        Raises:
            NegativeTargetError: a target below zero, unless the options let it go backward.
            NoOpenHoursError: the calendar never opens, unless the options fall back to wall-clock time.
            CalendarExhaustedError: not used up within `HORIZON_YEARS`.
            PeriodEndBeforeStartError: a pause that ends before it starts.
            NaiveInstantError: an instant without an offset.
        """
        left = micros(target)
        if left < 0 and options.negative is Negative.REJECT:
            raise NegativeTargetError(f"a target of {target} lies before its start; give zero or more")
        at = _micros_at(start)
        stops = _merged_spans(pauses) if pauses else []
        if options.pause_clock is PauseClock.WALL:
            left += sum(end - begin for begin, end in stops)
            stops = []
        if not self.calendar.has_hours:
            if options.no_hours is NoHours.ERROR:
                raise self._no_hours()
            found = at + left
        elif left > 0:
            found = self._forward(at, left, stops)
        elif left < 0:
            found = self._backward(at, -left, stops)
        else:
            found = self._next_open(at, stops)
        if options.boundary is TargetBoundary.NEXT_OPEN and self.calendar.has_hours:
            found = self._next_open(found, stops)
        if options.precision is TimePrecision.MINUTE:
            found -= found % MINUTE
        return _instant(found)

    def measure(
        self,
        start: datetime,
        end: datetime,
        pauses: Sequence[Span] = (),
        *,
        window: Span | None = None,
        precision: TimePrecision = TimePrecision.SECOND,
    ) -> Measured:
        """Open time in `[start, end)`, inside `window` when one is given; zero when `end` is not after `start`.

        Raises:
            NoOpenHoursError, CalendarExhaustedError, PeriodEndBeforeStartError, NaiveInstantError: as `due`.
        """
        if not self.calendar.has_hours:
            raise self._no_hours()
        first, last = _micros_at(start), _micros_at(end)
        if window is not None:
            begin, finish = _checked(window)
            first, last = max(first, begin), min(last, finish)
        gross = paused = 0
        stops = _merged_spans(pauses) if pauses else []
        if first < last:
            gross = self._between(first, last)
            for begin, finish in stops:
                if finish > first and begin < last:
                    paused += self._between(max(begin, first), min(finish, last))
        parts = (gross - paused, gross, paused)
        if precision is TimePrecision.MINUTE:
            parts = (parts[0] - parts[0] % MINUTE, parts[1] - parts[1] % MINUTE, parts[2] - parts[2] % MINUTE)
        return Measured(*(timedelta(microseconds=part) for part in parts))

    def elapsed(self, start: datetime, end: datetime, pauses: Sequence[Span] = ()) -> timedelta:
        """Open time from `start` to `end` without the open part of pauses; errors as `measure`."""
        return self.measure(start, end, pauses).elapsed

    def headroom(self, start: datetime, end: datetime, target: timedelta, pauses: Sequence[Span] = ()) -> timedelta:
        """What is left of `target` at `end`; below zero it is late by that much open time. Errors as `measure`."""
        return target - self.elapsed(start, end, pauses)

    def next_open(self, at: datetime) -> datetime:
        """`at` when open, else the next opening, in UTC. Errors as `due`."""
        return self.due(at, timedelta(0))

    def add_days(self, start: datetime, days: int, method: DayMethod = DayMethod.KEEP_CLOCK) -> datetime:
        """`start` moved by business days, in UTC. Only `WHOLE_DAYS` may go back; it returns `start` for zero days.

        Raises:
            NegativeTargetError: days below zero with `KEEP_CLOCK`.
            NoOpenHoursError, CalendarExhaustedError, NaiveInstantError: as `due`.
        """
        if not self.calendar.has_hours:
            raise self._no_hours()
        at = _micros_at(start)
        if method is DayMethod.KEEP_CLOCK:
            return self._keep_clock(start, days)
        if days == 0:
            return start.astimezone(UTC)
        return _instant(self._whole_days(at, days))

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
            found += [(_instant(opens), _instant(closes)) for opens, closes in pairs]
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
        number = _instant(at).year
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

    def _backward(self, at: int, left: int, stops: Sequence[tuple[int, int]]) -> int:
        for begin, end in reversed(stops):
            if begin >= at:
                continue
            if end < at:
                gap = self._between(end, at)
                if left <= gap:
                    break
                left -= gap
            at = begin
        number = self._year_of(at)
        wanted = self._year(number).open_before(at) - left
        limit = number - HORIZON_YEARS
        while wanted < 0:
            number = self._beyond(number, limit)
            wanted += self._year(number).total
        year = self._year(number)
        index = bisect_right(year.before, wanted) - 1
        return year.opens[index] + wanted - year.before[index]

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
        """The year after or before `number`, towards `limit`."""
        if number == limit:
            raise CalendarExhaustedError(
                f"the calendar {self.calendar.id!r} has not enough open time within {HORIZON_YEARS} years; "
                "check its hours, its closures and the target"
            )
        return number + (1 if limit > number else -1)

    def _keep_clock(self, start: datetime, days: int) -> datetime:
        if days < 0:
            raise NegativeTargetError("business days that keep the clock time only go forward; give zero or more days")
        local = wall_clock(start, self.calendar.timezone)
        if days:
            index = bisect_right(self._year(local.year).days, local.toordinal())
            on = date.fromordinal(self._open_day(local.year, index + days - 1)[1])
            start = instant_of(datetime.combine(on, local.time()), self.calendar.timezone)
        return _instant(self._next_open(_micros_at(start)))

    def _whole_days(self, at: int, days: int) -> int:
        number = self._year_of(at)
        year = self._year(number)
        if days > 0:
            # The first period that is not over yet decides which date is the first to count.
            index = bisect_right(year.closes, at)
            first = bisect_left(year.days, year.day[index]) if index < len(year.day) else len(year.days)
            number, on = self._open_day(number, first + days - 1)
            year = self._year(number)
            return year.closes[bisect_right(year.day, on) - 1]
        index = bisect_left(year.opens, at)
        last = bisect_left(year.days, year.day[index - 1]) if index else -1
        number, on = self._open_day(number, last + days + 1)
        year = self._year(number)
        return year.opens[bisect_left(year.day, on)]

    def _open_day(self, number: int, index: int) -> tuple[int, int]:
        """The date (year, ordinal) with open time that lies `index` places after the first one of a year."""
        limit = number + HORIZON_YEARS
        while index >= (count := len(self._year(number).days)):
            index -= count
            number = self._beyond(number, limit)
        limit = number - HORIZON_YEARS
        while index < 0:
            number = self._beyond(number, limit)
            index += len(self._year(number).days)
        return number, self._year(number).days[index]

    def _no_hours(self) -> NoOpenHoursError:
        return NoOpenHoursError(f"the calendar {self.calendar.id!r} is closed on all days; give it opening hours")


@lru_cache(maxsize=256)
def clock_of(calendar: BusinessCalendar) -> BusinessClock:
    """The clock of a calendar version, kept so that its compiled years are shared."""
    return BusinessClock(calendar)


def _micros_at(at: datetime) -> int:
    try:
        return micros(at - EPOCH)
    except TypeError as cause:
        raise NaiveInstantError(f"{at} has no offset from UTC; write 2026-01-05T09:00:00+01:00 or with Z") from cause


def _instant(at: int) -> datetime:
    try:
        return EPOCH + at * MICRO
    except OverflowError as cause:
        raise CalendarExhaustedError("the result lies outside the years of the calendar; lower the target") from cause


def _checked(span: Span) -> tuple[int, int]:
    begin, end = _micros_at(span[0]), _micros_at(span[1])
    if end < begin:
        raise PeriodEndBeforeStartError(
            f"the span from {span[0].isoformat()} to {span[1].isoformat()} ends before it starts; swap the two instants"
        )
    return begin, end


def _merged_spans(spans: Sequence[Span]) -> list[tuple[int, int]]:
    return merged([_checked(span) for span in spans])
