"""The days that a report is about: as they were asked for, else the last year."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from activities.kernel.clock import present
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal

YEAR = timedelta(days=365)


def last_year(first: date | None, last: date | None) -> tuple[date, date]:
    """The first and the last day, both of them included. Raises `Refusal` if there is no day from one to the other."""
    end = last or present().date()
    start = first or end - YEAR
    if start > end:
        raise _refused(f"{start} lies after {end}")
    return start, end


def between(first: date | None, last: date | None) -> tuple[date, date]:
    """Two days that are compared, a year apart by the calendar. Raises `Refusal` if the first does not lie before the last."""
    end = last or present().date()
    start = first or _a_year_before(end)
    if start >= end:
        raise _refused(f"{start} does not lie before {end}")
    return start, end


def instants(first: date | None, before: date | None) -> tuple[datetime, datetime]:
    """From the start of a day up to the start of another one or to the present, in UTC. Raises `Refusal` if no day lies in it."""
    end = midnight(before) if before else present()
    start = midnight(first) if first else end - YEAR
    if start >= end:
        raise _refused(
            f"the period from {start:%Y-%m-%d} to {end:%Y-%m-%d} has no day in it; give an earlier first one"
        )
    return start, end


def midnight(day: date) -> datetime:
    """The start of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


def _a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _refused(says: str) -> Refusal:
    return Refusal(INVALID_REQUEST, "nothing can be reported", [Problem(field="from", problem=says)])
