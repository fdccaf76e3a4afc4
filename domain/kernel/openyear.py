"""The open time of one calendar year, compiled so that any instant of it is found by bisection."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.kernel.business_calendar import BusinessCalendar, Intervals, merged
from domain.kernel.localtime import at_minute
from domain.kernel.zones import zone_of

MICRO = timedelta(microseconds=1)
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = EPOCH.toordinal()

Spans = list[tuple[int, int]]


def micros(span: timedelta) -> int:
    """A time span in whole microseconds."""
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


@dataclass(frozen=True, slots=True)
class OpenYear:
    """The open periods of the local dates of one year, as microseconds since 1970 in UTC, half-open and in order.

    `before[i]` is the open time of the year before period i and `through[i]` that up to its end; `day[i]` is the local
    date (as an ordinal) that period i belongs to, and `days` has each open date once. The year is `[start, end)`.
    """

    start: int
    end: int
    opens: list[int]
    closes: list[int]
    before: list[int]
    through: list[int]
    day: list[int]
    days: list[int]
    total: int

    def open_before(self, at: int) -> int:
        """Open time from the start of the year up to `at`."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.closes[index]) - self.opens[index]


class OpenTime:
    """The rules of one calendar in the form that compiling its years needs."""

    def __init__(self, calendar: BusinessCalendar) -> None:
        self._name, self._zone = calendar.timezone, zone_of(calendar.timezone)
        self._week = [_minutes(day) for day in calendar.week.days()]
        self._dates = {special.on.toordinal(): _minutes(special.intervals) for special in calendar.date_hours}
        active = [holiday for holiday in calendar.holidays if holiday.active]
        self._holidays = {holiday.on.toordinal() for holiday in active if not holiday.yearly}
        self._yearly = {(holiday.on.month, holiday.on.day) for holiday in active if holiday.yearly}
        self._closures = merged(
            [(micros(closure.starts_at - EPOCH), micros(closure.ends_at - EPOCH)) for closure in calendar.closures]
        )

    def compile(self, year: int) -> OpenYear:
        """The open periods of the local dates of `year`."""
        first, last = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
        yearly = {on.toordinal() for month, day in self._yearly if (on := _date(year, month, day))}
        closed = self._holidays | yearly
        spans: Spans = []
        day: list[int] = []
        offset = self._offset(first)
        for ordinal in range(first, last):
            next_offset = self._offset(ordinal + 1)
            hours = self._dates.get(ordinal)
            if hours is None:
                hours = self._week[(ordinal - 1) % 7]
            if hours and ordinal not in closed:
                if offset == next_offset:
                    midnight = (ordinal - _EPOCH_DAY) * DAY - offset
                    found = [(midnight + opens * MINUTE, midnight + closes * MINUTE) for opens, closes in hours]
                else:
                    found = self._on_a_jump(ordinal, hours)
                spans += found
                day += [ordinal] * len(found)
            offset = next_offset
        start, end = self._at(first, 0), self._at(last, 0)
        spans, day = self._without_closures(spans, day, start, end)
        return _indexed(start, end, spans, day)

    def _offset(self, ordinal: int) -> int:
        offset = datetime.fromordinal(ordinal).replace(tzinfo=self._zone).utcoffset()
        return micros(offset) if offset else 0

    def _at(self, ordinal: int, minute: int) -> int:
        return micros(at_minute(self._name, date.fromordinal(ordinal), minute) - EPOCH)

    def _on_a_jump(self, ordinal: int, hours: Spans) -> Spans:
        """The periods of a date on which the clocks change: bounds are resolved one by one, emptied periods dropped."""
        midnight, next_midnight = self._at(ordinal, 0), self._at(ordinal + 1, 0)
        # Kept inside the date, so that a date which does not exist at all opens nothing on the one after it.
        bounds = [(self._at(ordinal, opens), self._at(ordinal, closes)) for opens, closes in hours]
        return merged([(max(opens, midnight), min(closes, next_midnight)) for opens, closes in bounds])

    def _without_closures(self, spans: Spans, day: list[int], start: int, end: int) -> tuple[Spans, list[int]]:
        closures = [closure for closure in self._closures if closure[0] < end and closure[1] > start]
        if not closures:
            return spans, day
        left: Spans = []
        left_day: list[int] = []
        for (opens, closes), ordinal in zip(spans, day, strict=True):
            for part in without(opens, closes, closures):
                left.append(part)
                left_day.append(ordinal)
        return left, left_day


def without(start: int, end: int, cuts: Sequence[tuple[int, int]]) -> Spans:
    """What is left of `[start, end)` when the ordered, disjoint `cuts` are taken out."""
    left: Spans = []
    for cut_start, cut_end in cuts[max(0, bisect_right(cuts, (start,)) - 1) :]:
        if cut_start >= end:
            break
        if cut_end <= start:
            continue
        if cut_start > start:
            left.append((start, cut_start))
        start = cut_end
    if start < end:
        left.append((start, end))
    return left


def _minutes(intervals: Intervals) -> Spans:
    return merged([(interval.opens, interval.closes) for interval in intervals])


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 29 February in a common year
        return None


def _indexed(start: int, end: int, spans: Spans, day: list[int]) -> OpenYear:
    before: list[int] = []
    through: list[int] = []
    total = 0
    for opens, closes in spans:
        before.append(total)
        total += closes - opens
        through.append(total)
    return OpenYear(
        start=start,
        end=end,
        opens=[opens for opens, _ in spans],
        closes=[closes for _, closes in spans],
        before=before,
        through=through,
        day=day,
        days=sorted(set(day)),
        total=total,
    )
