"""Business clocks by the conventions of other systems, each with a name; the defaults are ours."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.kernel.base import Carried
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import HORIZON_YEARS, BusinessClock, Measured, Span, instant_at, micros_at, spans_of
from domain.kernel.business_errors import CalendarExhaustedError
from domain.kernel.openyear import MINUTE, micros


class TargetBoundary(StrEnum):
    """Where a target lies that is used up exactly when an open period ends."""

    AT_CLOSE = "at_close"
    """at the end of that period: work done a second after closing is late"""
    NEXT_OPEN = "next_open"
    """at the start of the next period"""


class TimePrecision(StrEnum):
    """How finely results are told."""

    SECOND = "second"
    """as exact as the instants given"""
    MINUTE = "minute"
    """cut down to whole minutes"""


class PauseClock(StrEnum):
    """How a pause moves a target."""

    BUSINESS = "business"
    """only its open part counts"""
    WALL = "wall"
    """its whole length is added to the target, open or not"""


class Negative(StrEnum):
    """What a target below zero means."""

    REJECT = "reject"
    BACKWARD = "backward"
    """go back through open time"""


class NoHours(StrEnum):
    """What a calendar without any opening hours means."""

    ERROR = "error"
    WALL_CLOCK = "wall_clock"
    """count every minute, as if there were no calendar"""


class DayMethod(StrEnum):
    """How business days are added."""

    KEEP_CLOCK = "keep_clock"
    """go forward by dates that have open time, keep the local clock time, then move on to the next open instant"""
    WHOLE_DAYS = "whole_days"
    """count dates that still have open time; the result is the end of the last one, or the start when going back"""


class ClockOptions(Carried):
    """The conventions on which business clocks differ; the defaults are this product's choice."""

    boundary: TargetBoundary = TargetBoundary.AT_CLOSE
    precision: TimePrecision = TimePrecision.SECOND
    pause_clock: PauseClock = PauseClock.BUSINESS
    negative: Negative = Negative.REJECT
    no_hours: NoHours = NoHours.ERROR


DEFAULTS = ClockOptions()


class OtherClock(BusinessClock):
    """A clock that goes by other conventions."""

    def __init__(self, calendar: BusinessCalendar, options: ClockOptions = DEFAULTS) -> None:
        super().__init__(calendar)
        self.options = options

    def due(
        self, start: datetime, target: timedelta, pauses: Sequence[Span] = (), options: ClockOptions | None = None
    ) -> datetime:
        options = options or self.options
        at, left, stops = micros_at(start), micros(target), spans_of(pauses)
        if options.pause_clock is PauseClock.WALL:
            left += sum(end - begin for begin, end in stops)
            pauses, stops = (), []
        if not self.calendar.has_hours and options.no_hours is NoHours.WALL_CLOCK:
            found = at + left
        elif left < 0 and options.negative is Negative.BACKWARD:
            self._check_hours()
            found = self._backward(at, -left, stops)
        else:
            found = micros_at(super().due(start, timedelta(microseconds=left), pauses))
        if options.boundary is TargetBoundary.NEXT_OPEN and self.calendar.has_hours:
            found = self._next_open(found, stops)
        if options.precision is TimePrecision.MINUTE:
            found -= found % MINUTE
        return instant_at(found)

    def is_late(self, end: datetime, start: datetime, target: timedelta, pauses: Sequence[Span] = ()) -> bool:
        used = super().measure(start, end, pauses).elapsed
        if used == target and self.options.boundary is TargetBoundary.AT_CLOSE:
            return end > super().due(start, target, pauses)
        return self.measure(start, end, pauses).elapsed > target

    def measure(
        self,
        start: datetime,
        end: datetime,
        pauses: Sequence[Span] = (),
        *,
        window: Span | None = None,
        precision: TimePrecision | None = None,
    ) -> Measured:
        if window is not None:
            start, end = max(start, window[0]), min(end, window[1])
        found = super().measure(start, end, pauses)
        if (precision or self.options.precision) is TimePrecision.MINUTE:
            found = Measured(*(part - part % timedelta(minutes=1) for part in found))
        return found

    def add_days(self, start: datetime, days: int, method: DayMethod = DayMethod.KEEP_CLOCK) -> datetime:
        if method is DayMethod.KEEP_CLOCK:
            return super().add_days(start, days)
        return start.astimezone(UTC) if days == 0 else instant_at(self._whole_days(micros_at(start), days))

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
            number = self._before(number, limit)
            wanted += self._year(number).total
        year = self._year(number)
        index = bisect_right(year.before, wanted) - 1
        return year.opens[index] + wanted - year.before[index]

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
        number, on = self._day_back(number, last + days + 1)
        year = self._year(number)
        return year.opens[bisect_left(year.day, on)]

    def _before(self, number: int, limit: int) -> int:
        if number == limit:
            raise CalendarExhaustedError(f"the calendar {self.calendar.id!r} has not enough open time that long ago")
        return number - 1

    def _day_back(self, number: int, index: int) -> tuple[int, int]:
        limit = number - HORIZON_YEARS
        while index < 0:
            number = self._before(number, limit)
            index += len(self._year(number).days)
        return self._open_day(number, index)
