"""`perennial calendar …`: the hours in which service's promises count, and days off in them."""

from __future__ import annotations

from typing import Annotated

import typer

from activities.service import holiday_rows
from activities.service_policies import FOLDER, read_service_book
from domain.service.desk import ServiceBook
from gateway.here import find_running
from workers.cli.common import console, database, facts, settings_of, waited
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import By, trusted

app = typer.Typer(no_args_is_help=True)

Calendar = Annotated[str, typer.Argument(help="Such as office-jp.")]
Day = Annotated[str, typer.Argument(help="Such as 2027-12-28.")]
Because = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]


@app.command("list")
@waited
async def list_calendars(as_json: Json = False) -> None:
    """Every calendar as it is now, with its number of days off and those that somebody added."""
    async with facts() as connection:
        current = await holiday_rows.current(connection, _book().calendars.values())
        added = [row for row in await holiday_rows.days_off(connection) if row["withdrawn_at"] is None]
    if as_json:
        print_json([one.model_dump(mode="json") for one in current.values()])
        return
    by_hand = {
        name: ", ".join(f"{row['holiday_on']} {row['name']}" for row in added if row["calendar_id"] == name)
        for name in current
    }
    show_table(("calendar", "name", "zone", "version", "days off", "added"), [
        (one.id, one.name, one.timezone, one.version, len(one.holidays), by_hand[one.id]) for one in current.values()
    ])  # fmt: skip


@app.command()
@waited
async def add(calendar: Calendar, day: Day, name: str, reason: Because = "", by: By = None) -> None:
    """A day off, for cases that are opened from now on: `perennial calendar add office 2027-12-28 "Year's end"`."""
    from gateway.acting import new_request_id
    from gateway.days_off import DaysOff

    document = {"calendar_id": calendar, "day": day, "name": name}
    async with database() as pool:
        await DaysOff(pool, "cli", _book()).add(await trusted(pool, by), document, new_request_id(), reason)
    console.print(f"{day} is a day off in {calendar}.")


@app.command()
@waited
async def withdraw(calendar: Calendar, day: Day, reason: Because = "", by: By = None) -> None:
    """A day that was added is no day off any more, for cases that are opened from now on."""
    from gateway.acting import new_request_id
    from gateway.days_off import DaysOff

    document = {"calendar_id": calendar, "day": day}
    async with database() as pool:
        await DaysOff(pool, "cli", _book()).withdraw(await trusted(pool, by), document, new_request_id(), reason)
    console.print(f"{day} is no day off in {calendar} any more.")


def _book() -> ServiceBook:
    return read_service_book(settings_of(find_running()).service_book or FOLDER)
