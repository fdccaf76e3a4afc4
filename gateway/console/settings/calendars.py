"""Calendars of service: hours and days off, and a day off more."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from activities.kernel.clock import present
from activities.service import holiday_rows
from domain.frame.access import WriteAct
from domain.kernel.business_calendar import WEEKDAYS, BusinessCalendar, Intervals, show_minute
from domain.kernel.calendar import local_day
from domain.service.desk import ServiceBook
from gateway.api.problems import status_of
from gateway.console.settings.changes import Sent, read, reason_of, request_id_of, shown, taken
from gateway.console.visit import Visit
from gateway.days_off import DayOff, DaysOff, NewDayOff


async def calendars(visit: Visit) -> Response:
    """Every calendar of the service book as it is now."""
    return await shown(visit, _page)


async def change_calendars(visit: Visit) -> Response:
    """A day off more, or one that was added less."""
    return await taken(visit, {"add": _add, "withdraw": _withdraw}, _page)


async def _add(visit: Visit) -> None:
    await _days_off(visit).add(visit.who, read(visit, NewDayOff), request_id_of(visit), reason_of(visit))


async def _withdraw(visit: Visit) -> None:
    await _days_off(visit).withdraw(visit.who, read(visit, DayOff), request_id_of(visit), reason_of(visit))


def _days_off(visit: Visit) -> DaysOff:
    return DaysOff(visit.place.doors.pool, "console", visit.place.service_book)


async def _page(sent: Sent) -> Response:
    visit, book, now = sent.visit, sent.visit.place.service_book, present()
    async with visit.place.doors.pool.acquire() as connection:
        current = await holiday_rows.current(connection, book.calendars.values())
        added = [row for row in await holiday_rows.days_off(connection) if row["withdrawn_at"] is None]
    shows = []
    for calendar in current.values():
        today = local_day(now, calendar.timezone)
        by_hand = {row["holiday_on"]: row for row in added if row["calendar_id"] == calendar.id}
        coming = sorted((one for one in calendar.holidays if one.active and one.on >= today), key=lambda one: one.on)
        shows.append(
            {
                "calendar": calendar,
                "week": _week(calendar),
                "coming": coming,
                "by_hand": by_hand,
                "for": _countries(book, calendar),
                "knows_none": calendar.knows_no_days_off,
            }
        )
    may = visit.who.may_do(WriteAct.ADD_HOLIDAY)
    return visit.page(
        "settings/calendars.html",
        status_of(sent.refusal) if sent.refusal else HTTPStatus.OK,
        shows=shows,
        default=book.desk.local_calendars.get("default", ""),
        form=sent.form("add", NewDayOff, choices={"calendar_id": book.calendars}) if may else None,
        sent=sent,
        done=visit.asked("done"),
    )


def _countries(book: ServiceBook, calendar: BusinessCalendar) -> list[str]:
    """The countries whose customers it counts for."""
    return sorted(country for country, of in book.desk.local_calendars.items() if of == calendar.id)


def _week(calendar: BusinessCalendar) -> list[tuple[list[str], str]]:
    """Days with the same hours in one line."""
    lines: list[tuple[list[str], str]] = []
    for day, hours in zip(WEEKDAYS, calendar.week.days(), strict=True):
        said = _hours(hours)
        if lines and lines[-1][1] == said:
            lines[-1][0].append(day)
        else:
            lines.append(([day], said))
    return lines


def _hours(intervals: Intervals) -> str:
    return ", ".join(f"{show_minute(one.opens)}–{show_minute(one.closes)}" for one in intervals)
