"""How other systems write the ends of spans."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.assets.dates import DAY


class EndStyle(StrEnum):
    """How the end of a half-open span is written."""

    INCLUSIVE_DAY = "inclusive_day"
    """its last day"""
    HALF_OPEN = "half_open"
    """the start of what follows"""
    INCLUSIVE_SECOND = "inclusive_second"
    """the last second before what follows"""


def next_moment(moment: date) -> date:
    """What follows an inclusive end: the next day after a date, the next second after an instant."""
    return moment + (SECOND if isinstance(moment, datetime) else DAY)


def read_end(moment: date, style: EndStyle, zone: ZoneInfo) -> datetime:
    """The half-open instant behind a written end. A bare date that is inclusive counts whole, also beside seconds."""
    if style is EndStyle.HALF_OPEN:
        return as_instant(moment, zone)
    if isinstance(moment, datetime) and style is EndStyle.INCLUSIVE_SECOND:
        return as_instant(moment + SECOND, zone)
    return as_instant(local_date(moment, zone) + DAY, zone)


def write_moment(moment: datetime, style: EndStyle) -> date:
    """`moment` as a date where it is midnight in UTC, unless the style speaks of seconds."""
    moment = moment.astimezone(UTC)
    return moment.date() if style is not EndStyle.INCLUSIVE_SECOND and moment.time() == time() else moment


def write_end(end: datetime, style: EndStyle) -> date:
    """The half-open `end` as this style writes it; the inverse of `read_end` in UTC."""
    end = end.astimezone(UTC)
    if style is EndStyle.INCLUSIVE_SECOND:
        return end - SECOND
    return (end - SECOND).date() if style is EndStyle.INCLUSIVE_DAY else write_moment(end, style)


SECOND = timedelta(seconds=1)


def as_instant(moment: date, zone: ZoneInfo) -> datetime:
    """`moment` as an instant in UTC; a bare date is its midnight in `zone`."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time(), zone).astimezone(UTC)


def local_date(moment: date, zone: ZoneInfo) -> date:
    """The date of `moment` in `zone`; a bare date is itself."""
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment
