"""Days off that somebody added to a calendar: each once, and what was withdrawn stays on record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.kernel.queries import Query
from domain.kernel.business_calendar import BusinessCalendar, Holiday, with_days_off

_ADD = Insert("calendar_holiday", "calendar_id holiday_on name added_at added_by", "on conflict do nothing")

days_off = Query(
    "select holiday_id, calendar_id, holiday_on, name, added_at, added_by, withdrawn_at, withdrawn_by from calendar_holiday"
    " order by holiday_on, holiday_id"
)
"""All of them, by their day."""


async def add(connection: Connection, calendar_id: str, on: date, name: str, at: datetime, by: str) -> bool:
    """A day off; false if the day was one already."""
    return await _ADD.is_new(connection, (calendar_id, on, name, at, by))


async def withdraw(connection: Connection, calendar_id: str, on: date, at: datetime, by: str) -> bool:
    """The day is none from now on; false if it was none."""
    done: str = await connection.execute(
        "update calendar_holiday set withdrawn_at = $3, withdrawn_by = $4"
        " where calendar_id = $1 and holiday_on = $2 and withdrawn_at is null",
        calendar_id,
        on,
        at,
        by,
    )
    return done.endswith(" 1")


async def current(connection: Connection, calendars: Iterable[BusinessCalendar]) -> dict[str, BusinessCalendar]:
    """The calendars of the book as they are now, by their ids: with the days off that were added."""
    rows = await days_off(connection)
    found = {}
    for calendar in calendars:
        own = [row for row in rows if row["calendar_id"] == calendar.id]
        added = [Holiday(on=row["holiday_on"], name=row["name"]) for row in own if row["withdrawn_at"] is None]
        changes = len(own) + sum(row["withdrawn_at"] is not None for row in own)
        found[calendar.id] = with_days_off(calendar, added, changes)
    return found
