"""`perennial staff …`: the seller's people, apart from orders. What is changed here is changed for every customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from activities.frame import staff_rows
from activities.kernel.clock import present
from domain.kernel.countries import COUNTRIES
from domain.kernel.refusals import INVALID_REQUEST, Refusal
from domain.kernel.shown import counted
from domain.kernel.zones import is_zone
from domain.orders.order import Staff
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_facts, show_table, words
from workers.cli.servers import By, asker, connections

if TYPE_CHECKING:
    from activities.kernel.pool import Connection
    from gateway.client import PerennialClient

app = typer.Typer(no_args_is_help=True)

TimeZone = Annotated[
    str | None, typer.Option(help="Where they work, such as Asia/Tokyo; else where most of their customers are.")
]
Country = Annotated[str | None, typer.Option(help="Whose days off are theirs, such as JP.")]
Manager = Annotated[
    str | None,
    typer.Option(help="Whom they report to: who approves of what goes beyond them.", metavar="STAFF_ID"),
]
LANGUAGE = "In which they are told things, such as ja. [PERENNIAL_STAFF_LANGUAGE]"


@app.command("list")
@waited
async def list_staff(as_json: Json = False) -> None:
    """Everybody, with how many customers they own and look after."""
    rows = await _rows()
    if as_json:
        print_json(rows)
        return
    shown = (
        "staff_id",
        "name",
        "email",
        "language",
        "time_zone",
        "manager_id",
        "owns",
        "looks_after",
        "takes_cases",
        "left_at",
    )
    names = ("staff", "name", "address", "language", "zone", "reports to", "owns", "looks after", "takes cases", "left")
    show_table(names, [[row[name] for name in shown] for row in rows])


@app.command()
@waited
async def show(staff_id: str, as_json: Json = False) -> None:
    """One of them, and who changed them last."""
    row = _named(await _rows(), staff_id)
    if as_json:
        print_json(row)
    else:
        show_facts({words(name): str(value) for name, value in row.items() if value is not None}, 12)


@app.command()
@waited
async def add(
    staff_id: str,
    name: Annotated[str, typer.Option(help="As it stands in mails.")],
    email: Annotated[str, typer.Option(help="Where notices go, and answers to mails.")],
    language: Annotated[str | None, typer.Option(help=LANGUAGE)] = None,
    time_zone: TimeZone = None,
    country: Country = None,
    manager: Manager = None,
    by: By = None,
) -> None:
    """Somebody new. An order may introduce people as well."""
    person, place = _person(staff_id, name, email, language), _place(time_zone, country)
    async with facts() as connection, connection.transaction():
        if not await staff_rows.add_staff(connection, person, await asker(connection, by), present()):
            raise UserError(f"{staff_id!r} is taken; change them with `perennial staff change {staff_id}`")
        await staff_rows.place_staff(connection, staff_id, *place)
        await _reports(connection, staff_id, manager)
    console.print(f"{staff_id} was added.")


@app.command()
@waited
async def change(
    staff_id: str,
    name: Annotated[str | None, typer.Option()] = None,
    email: Annotated[str | None, typer.Option()] = None,
    language: Annotated[str | None, typer.Option(help=LANGUAGE)] = None,
    time_zone: TimeZone = None,
    country: Country = None,
    manager: Manager = None,
    by: By = None,
) -> None:
    """Another name, address, language, place or manager, for every customer at once."""
    if all(one is None for one in (name, email, language, time_zone, country, manager)):
        raise UserError("say what changes: --name, --email, --language, --time-zone, --country or --manager")
    place = _place(time_zone, country)
    async with facts() as connection, connection.transaction():
        known = _named(await staff_rows.list_staff(connection), staff_id)
        person = _person(staff_id, name or known["name"], email or known["email"], language or known["language"])
        await staff_rows.change_staff(connection, person, await asker(connection, by), present())
        await staff_rows.place_staff(connection, staff_id, *place)
        await _reports(connection, staff_id, manager)
    console.print(
        f"{staff_id} was changed, for {counted(known['owns'], 'customer')} owned and {known['looks_after']} looked after."
    )


@app.command()
@waited
async def leave(
    staff_id: str,
    to: Annotated[str, typer.Option(help="Who gets their customers and their tasks.", metavar="STAFF_ID")],
    by: By = None,
) -> None:
    """Somebody leaves: their customers and tasks go to a successor, one journey after the other. Run again it goes on where it ended."""
    if to == staff_id:
        raise UserError(f"{staff_id} leaves; name somebody else with --to")
    if by is None:
        raise UserError("say who does it: --by STAFF_ID, or PERENNIAL_STAFF")
    async with connections() as servers:
        async with servers.pool.acquire() as connection, connection.transaction():
            asked_by, rows = await asker(connection, by), await staff_rows.list_staff(connection)
            person = _named(rows, staff_id)
            if _named(rows, to)["left_at"] is not None:
                raise UserError(f"{to} has left as well; name somebody who is there")
            if person["takes_cases"]:
                raise UserError(
                    f"{staff_id} takes cases still; take them off their team first (`put_agent`, active false)"
                )
            await staff_rows.leaves(connection, staff_id, asked_by, present())
            left = await staff_rows.left_to_hand_over(connection, staff_id)
        for row in left:
            await _hand_over(servers.client, row, to, {"reason": f"{person['name']} has left", "by": by})
    console.print(
        f"{staff_id} has left; {counted(len(left), 'customer')} and what was to be done for them went to {to}."
    )


async def _hand_over(client: PerennialClient, row: dict[str, Any], to: str, why: dict[str, str]) -> None:
    """All that somebody had with one customer goes to their successor."""
    parts = {name: to for name, had in (("owner", row["owns"]), ("success_manager", row["looks_after"])) if had}
    if parts:
        await client.ask(row["account_id"], "change_account", {**parts, **why})
        return
    for task_id in row["tasks"]:
        request = {"task_id": task_id, "to": to, "role": "manager", **why}
        await client.ask(row["account_id"], "hand_over_staff_task", request)


async def _reports(connection: Connection, staff_id: str, manager: str | None) -> None:
    """Whom somebody reports to from now on, if that is said."""
    if manager is None:
        return
    if manager == staff_id:
        raise UserError(f"nobody reports to themselves; name somebody else than {staff_id} with --manager")
    _named(await staff_rows.list_staff(connection), manager)
    await staff_rows.report_to(connection, staff_id, manager)


def _place(time_zone: str | None, country: str | None) -> tuple[str | None, str | None]:
    if time_zone is not None and not is_zone(time_zone):
        raise UserError(f"no time zone is called {time_zone!r}; use a name such as Asia/Tokyo")
    if country is not None and country not in COUNTRIES:
        raise UserError(f"{country!r} is no country; use two letters such as JP")
    return time_zone, country


def _person(staff_id: str, name: str, email: str, language: str | None) -> Staff:
    try:
        return Staff.model_validate({"staff_id": staff_id, "name": name, "email": email, "language": language})
    except ValidationError as error:
        raise Refusal.from_validation(INVALID_REQUEST, "the person cannot be recorded", error) from None


def _named(rows: list[dict[str, Any]], staff_id: str) -> dict[str, Any]:
    found = next((row for row in rows if row["staff_id"] == staff_id), None)
    if found is None:
        raise UserError(f"{staff_id!r} is none of our people; `perennial staff list` shows them")
    return found


async def _rows() -> list[dict[str, Any]]:
    async with facts() as connection:
        return await staff_rows.list_staff(connection)
