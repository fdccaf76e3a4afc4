"""`perennial staff …`: the seller's people, apart from orders. What is changed here is changed for every customer."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from activities.frame import staff_rows
from activities.kernel.clock import present
from domain.kernel.refusals import INVALID_REQUEST, Refusal
from domain.kernel.shown import counted
from domain.orders.order import Staff
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_facts, show_table, words
from workers.cli.servers import By, asker

app = typer.Typer(no_args_is_help=True)

LANGUAGE = "In which they are told things, such as ja. [PERENNIAL_STAFF_LANGUAGE]"


@app.command("list")
@waited
async def list_staff(as_json: Json = False) -> None:
    """Everybody, with how many customers they own and look after."""
    rows = await _rows()
    if as_json:
        print_json(rows)
        return
    shown = ("staff_id", "name", "email", "language", "owns", "looks_after", "takes_cases")
    names = ("staff", "name", "address", "language", "owns", "looks after", "takes cases")
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
    by: By = None,
) -> None:
    """Somebody new. An order may introduce people as well."""
    person = _person(staff_id, name, email, language)
    async with facts() as connection, connection.transaction():
        if not await staff_rows.add_staff(connection, person, await asker(connection, by), present()):
            raise UserError(f"{staff_id!r} is taken; change them with `perennial staff change {staff_id}`")
    console.print(f"{staff_id} was added.")


@app.command()
@waited
async def change(
    staff_id: str,
    name: Annotated[str | None, typer.Option()] = None,
    email: Annotated[str | None, typer.Option()] = None,
    language: Annotated[str | None, typer.Option(help=LANGUAGE)] = None,
    by: By = None,
) -> None:
    """Another name, address or language, for every customer at once."""
    if name is None and email is None and language is None:
        raise UserError("say what changes: --name, --email or --language")
    async with facts() as connection, connection.transaction():
        known = _named(await staff_rows.list_staff(connection), staff_id)
        person = _person(staff_id, name or known["name"], email or known["email"], language or known["language"])
        await staff_rows.change_staff(connection, person, await asker(connection, by), present())
    console.print(
        f"{staff_id} was changed, for {counted(known['owns'], 'customer')} owned and {known['looks_after']} looked after."
    )


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
