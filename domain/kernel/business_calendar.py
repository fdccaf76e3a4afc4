"""Business calendars: weekly hours, dates with hours of their own, holidays, closures, versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, model_validator

from domain.kernel.base import Carried
from domain.kernel.business_errors import (
    ClosureEndBeforeStartError,
    NoOpenHoursError,
    OverlappingHoursError,
    PeriodEndBeforeStartError,
    ServiceRuleError,
)
from domain.kernel.calendar import ZoneName
from domain.kernel.localtime import MINUTES_A_DAY, minute_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of `WeekHours` in the order of `date.weekday()`."""


def show_minute(minute: int) -> str:
    """A minute of the day as `HH:MM`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


Minute = Annotated[int, Field(ge=0, le=MINUTES_A_DAY)]


class Interval(Carried):
    """Open from minute `opens` of a local day up to minute `closes`; may be written `["09:00", "17:00"]`."""

    opens: Minute
    closes: Minute

    @model_validator(mode="before")
    @classmethod
    def _from_clocks(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            try:
                opens, closes = value
            except ValueError as cause:
                raise ServiceRuleError(f"{value!r} are no opening hours; give an opening and a closing time") from cause
            value = {"opens": opens, "closes": closes}
        if isinstance(value, dict):
            return {key: minute_of(v) if isinstance(v, str) else v for key, v in value.items()}
        return value

    @model_validator(mode="after")
    def _forward(self) -> Interval:
        if self.opens >= self.closes:
            raise PeriodEndBeforeStartError(
                f"opening hours {show_minute(self.opens)} to {show_minute(self.closes)} end before they start; "
                "write a night shift as two intervals, up to 24:00 and from 00:00 of the next day"
            )
        return self


Intervals = tuple[Interval, ...]


class WeekHours(Carried):
    """The opening hours of each weekday; an empty day is closed. Intervals that touch or overlap count once."""

    mon: Intervals = ()
    tue: Intervals = ()
    wed: Intervals = ()
    thu: Intervals = ()
    fri: Intervals = ()
    sat: Intervals = ()
    sun: Intervals = ()

    def days(self) -> tuple[Intervals, ...]:
        """The seven days, Monday first."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)


class DateHours(Carried):
    """Hours that replace those of one date entirely; no intervals means closed."""

    on: date
    intervals: Intervals = ()


class Holiday(Carried):
    """A local day that is closed while the holiday is `active`; `yearly` repeats it on the same month and day."""

    on: date
    name: str = ""
    active: bool = True
    yearly: bool = False


class Closure(Carried):
    """Closed from `starts_at` up to, not including, `ends_at`, whatever the hours say."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: str = ""

    @model_validator(mode="after")
    def _forward(self) -> Closure:
        # Compared as instants: two offsets can turn round what the clocks seem to say.
        if self.ends_at <= self.starts_at:
            raise ClosureEndBeforeStartError(
                f"the closure from {self.starts_at.isoformat()} ends at {self.ends_at.isoformat()}, "
                "which is not later; give an end after the start"
            )
        return self


class BusinessCalendar(Carried):
    """One version of a business calendar. A case keeps the version it was opened under."""

    id: str = "default"
    name: str = ""
    timezone: ZoneName
    version: int = 1
    valid_from: AwareDatetime | None = None
    week: WeekHours = WeekHours()
    date_hours: tuple[DateHours, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _dates_once(self) -> BusinessCalendar:
        dates = [special.on for special in self.date_hours]
        if len(set(dates)) < len(dates):
            twice = next(on for on in dates if dates.count(on) > 1)
            raise ServiceRuleError(f"{twice} has hours of its own twice; give all its intervals in one entry")
        return self

    @property
    def has_hours(self) -> bool:
        """Whether any day is ever open."""
        return any(self.week.days()) or any(special.intervals for special in self.date_hours)

    @property
    def knows_no_days_off(self) -> bool:
        """True for office hours without a holiday: promises run on while everybody is away. What never closes has none to know."""
        is_always_open = all(merged([(one.opens, one.closes) for one in day]) == _WHOLE_DAY for day in self.week.days())
        return not is_always_open and not any(one.active for one in self.holidays) and not self.closures


_CHANGES_OF_A_VERSION = 10_000
"""So many changes by hand one version of a calendar has room for."""


def with_days_off(calendar: BusinessCalendar, added: Sequence[Holiday], changes: int) -> BusinessCalendar:
    """A calendar with days off that somebody added after so many `changes`; each change makes it another version."""
    if not changes:
        return calendar
    version = calendar.version * _CHANGES_OF_A_VERSION + changes
    return calendar.having(version=version, holidays=(*calendar.holidays, *added))


def check_before_saving(calendar: BusinessCalendar) -> None:
    """What a person who edits a calendar should hear of before it is kept; reading an older one is more lenient.

    Raises:
        NoOpenHoursError: no day is ever open.
        OverlappingHoursError: two intervals of a day overlap (they may touch).
    """
    if not calendar.has_hours:
        raise NoOpenHoursError(f"the calendar {calendar.id!r} is closed on all days; give at least one day hours")
    named = [*zip(WEEKDAYS, calendar.week.days(), strict=True)]
    named += [(special.on.isoformat(), special.intervals) for special in calendar.date_hours]
    for name, intervals in named:
        ordered = sorted(intervals, key=lambda interval: interval.opens)
        for one, next_one in pairwise(ordered):
            if next_one.opens < one.closes:
                raise OverlappingHoursError(
                    f"{name} is open {show_minute(one.opens)} to {show_minute(one.closes)} and again from "
                    f"{show_minute(next_one.opens)}; join the two intervals or move one"
                )


_WHOLE_DAY = [(0, MINUTES_A_DAY)]


def merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Half-open spans of integers in order, touching and overlapping ones joined, empty ones dropped."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
