"""Calendars and shorthands that the service tests share."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.kernel.business_calendar import WEEKDAYS, BusinessCalendar
from domain.kernel.business_clock import BusinessClock
from domain.service.history import CaseEvent, CaseHistory, EventKind, history_of


def at(text: str) -> datetime:
    """`2026-01-05 09:00` as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def office(
    timezone: str = "UTC", *intervals: tuple[str, str], days: tuple[str, ...] = WEEKDAYS[:5], **more: Any
) -> BusinessCalendar:
    """Open on `days`, by default Monday to Friday from nine to five."""
    day = [list(interval) for interval in intervals or (("09:00", "17:00"),)]
    return BusinessCalendar.model_validate({"timezone": timezone, "week": dict.fromkeys(days, day), **more})


def office_clock(timezone: str = "UTC", *intervals: tuple[str, str], **more: Any) -> BusinessClock:
    return BusinessClock(office(timezone, *intervals, **more))


_LINE = re.compile(r"(?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d) (\w+)(?: (\w+))?")


def story(*lines: str) -> CaseHistory:
    """A history told in lines of [date] time, kind and a name or `automatic`, on Monday 5 January 2026 by default."""
    events = []
    for line in lines:
        told = _LINE.fullmatch(line)
        assert told is not None, line
        on, moment, kind, extra = told.groups()
        automatic = extra == "automatic"
        events.append(
            CaseEvent(
                at=at(f"{on or '2026-01-05'} {moment}"),
                kind=EventKind(kind),
                name="" if automatic else extra or "",
                automatic=automatic,
            )
        )
    return history_of(events)
