"""Days off in the calendars of service: added, and withdrawn before their day; by any door, each with its line in the audit log."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator

from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.service import holiday_rows
from domain.frame.access import Principal, WriteAct, require_act
from domain.kernel.base import Received
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.calendar import local_day, within_reach
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from domain.kernel.requests import read_document
from domain.orders.order import Code, Text
from domain.service.desk import ServiceBook
from gateway.acting import Subject, written

UNKNOWN_CALENDAR = "UnknownCalendar"
HOLIDAY_CONFLICT = "HolidayConflict"
_WRONG = "the calendar cannot be changed"


class DayOff(Received):
    """A day of a calendar."""

    calendar_id: Code
    day: Annotated[date, AfterValidator(within_reach)]


class NewDayOff(DayOff):
    """A day on which nobody works by this calendar. Cases that are open keep the hours that they were promised in."""

    name: Text


class DaysOff:
    """The calendars of a service book, as one door sees to them."""

    def __init__(self, pool: Pool, door: str, book: ServiceBook) -> None:
        self._pool = pool
        self._door = door
        self._book = book

    async def add(self, who: Principal, document: dict[str, Any], request_id: str, reason: str = "") -> None:
        """A day off, today or later. Raises `Refusal`: UnknownCalendar, HolidayConflict, InvalidRequest, NotAllowed."""
        require_act(who, WriteAct.ADD_HOLIDAY)
        new = read_document(NewDayOff, document, INVALID_REQUEST, _WRONG)
        calendar = self._coming(new)
        if any(_falls_on(one.on, new.day, yearly=one.yearly) for one in calendar.holidays if one.active):
            raise Refusal(HOLIDAY_CONFLICT, f"{new.day} is a day off in {calendar.id} by its file")
        async with self._written(who, WriteAct.ADD_HOLIDAY, new, request_id, reason) as connection:
            if not await holiday_rows.add(connection, calendar.id, new.day, new.name, present(), who.by):
                raise Refusal(HOLIDAY_CONFLICT, f"{new.day} is a day off in {calendar.id} already")

    async def withdraw(self, who: Principal, document: dict[str, Any], request_id: str, reason: str = "") -> None:
        """A day that was added, and is not over, is none from now on. Else as `add`."""
        require_act(who, WriteAct.WITHDRAW_HOLIDAY)
        day = read_document(DayOff, document, INVALID_REQUEST, _WRONG)
        calendar = self._coming(day)
        async with self._written(who, WriteAct.WITHDRAW_HOLIDAY, day, request_id, reason) as connection:
            if not await holiday_rows.withdraw(connection, calendar.id, day.day, present(), who.by):
                raise Refusal(HOLIDAY_CONFLICT, f"{day.day} was not added to {calendar.id}")

    def _coming(self, day: DayOff) -> BusinessCalendar:
        calendar = self._book.calendars.get(day.calendar_id)
        if calendar is None:
            known = ", ".join(sorted(self._book.calendars))
            raise Refusal(UNKNOWN_CALENDAR, f"there is no calendar {day.calendar_id!r}; there are {known}")
        if day.day < local_day(present(), calendar.timezone):
            raise Refusal(INVALID_REQUEST, _WRONG, [Problem(field="day", problem="is over; give one that comes")])
        return calendar

    def _written(
        self, who: Principal, act: WriteAct, day: DayOff, request_id: str, reason: str
    ) -> AbstractAsyncContextManager[Connection]:
        about = Subject("calendar", f"{day.calendar_id}/{day.day}")
        return written(self._pool, self._door, who, about, act, request_id, reason)


def _falls_on(holiday: date, day: date, *, yearly: bool) -> bool:
    return holiday == day or (yearly and (holiday.month, holiday.day) == (day.month, day.day))
