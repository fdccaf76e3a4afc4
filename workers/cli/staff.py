"""`perennial staff …`: the seller's people, apart from orders. What is changed here is changed for every customer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from activities.frame import staff_rows
from domain.kernel.countries import COUNTRIES
from domain.kernel.shown import counted
from domain.kernel.zones import is_zone
from workers.cli.common import UserError, console, database, facts, waited
from workers.cli.output import Json, print_json, show_facts, show_table, words
from workers.cli.servers import By, connections, trusted

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
    from gateway.staffing import named

    row = named(await _rows(), staff_id)
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
    from gateway.acting import new_request_id
    from gateway.staffing import Staffing

    place = _place(time_zone, country)
    document = {"staff_id": staff_id, "name": name, "email": email, "language": language, "manager": manager, **place}
    async with database() as pool:
        await Staffing(pool, "cli").add(await trusted(pool, by), document, new_request_id())
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
    from gateway.acting import new_request_id
    from gateway.staffing import Staffing

    said = {"name": name, "email": email, "language": language, "manager": manager}
    changes = {field: value for field, value in said.items() if value is not None} | _place(time_zone, country)
    async with database() as pool:
        known = await Staffing(pool, "cli").change(await trusted(pool, by), staff_id, changes, new_request_id())
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
    from gateway.acting import new_request_id
    from gateway.staffing import Staffing, hand_over

    if by is None:
        raise UserError("say who does it: --by STAFF_ID, or PERENNIAL_STAFF")
    async with connections() as servers:
        who = await trusted(servers.pool, by)
        left = await Staffing(servers.pool, "cli").leave(who, staff_id, to, new_request_id())
        why = {"reason": f"{staff_id} has left", "by": by}
        async for _ in hand_over(servers.client, left, to, why):
            pass
    console.print(
        f"{staff_id} has left; {counted(len(left), 'customer')} and what was to be done for them went to {to}."
    )


def _place(time_zone: str | None, country: str | None) -> dict[str, str]:
    if time_zone is not None and not is_zone(time_zone):
        raise UserError(f"no time zone is called {time_zone!r}; use a name such as Asia/Tokyo")
    if country is not None and country not in COUNTRIES:
        raise UserError(f"{country!r} is no country; use two letters such as JP")
    return {name: value for name, value in (("time_zone", time_zone), ("country", country)) if value is not None}


async def _rows() -> list[dict[str, Any]]:
    async with facts() as connection:
        return await staff_rows.list_staff(connection)
