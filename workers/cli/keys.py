"""`perennial keys …`: the keys by which mails are signed, so that an answer or a delivery report proves which one it is about."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from activities.kernel.clock import present
from activities.mail import keys
from activities.mail.signing import REMEMBERED
from domain.mail.signing import SECRET_BYTES
from workers.cli.common import UserError, console, database, print_json, run

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """Every key, newest first; the secrets stay where they are."""
    rows = run(_rows())
    if as_json:
        print_json(rows)
        return
    table = Table(Column("key", justify="right"), "made (UTC)", "retired (UTC)", "does")
    for row in rows:
        does = "signs and verifies" if row["signs"] else "nothing" if row["retired_at"] else "verifies"
        made, retired = ("" if at is None else f"{at:%Y-%m-%d %H:%M}" for at in (row["made_at"], row["retired_at"]))
        table.add_row(str(row["number"]), made or "with the schema", retired, does)
    console.print(table)


@app.command()
def rotate() -> None:
    """A new key signs from now on; older ones verify until they are retired."""
    number = run(_rotate())
    console.print(
        f"Key {number} signs what is written from now on; within {REMEMBERED:.0f} seconds every worker uses it."
        " Older keys verify until `perennial keys retire NUMBER`."
    )


@app.command()
def retire(number: int) -> None:
    """What a key has signed counts no more: answers to those mails open cases, delivery reports about them wait for a person."""
    if not run(_retire(number)):
        raise UserError(
            f"key {number} signs, did so within the last {REMEMBERED:.0f} seconds, is retired already, or does not exist;"
            " `perennial keys list` shows them, and `perennial keys rotate` makes the next one"
        )
    console.print(f"Key {number} is retired.")


async def _rows() -> list[dict[str, Any]]:
    async with database() as pool, pool.acquire() as connection:
        return await keys.list_keys(connection)


async def _rotate() -> int:
    async with database() as pool, pool.acquire() as connection:
        return await keys.add_key(connection, secrets.token_bytes(SECRET_BYTES), present())


async def _retire(number: int) -> bool:
    async with database() as pool, pool.acquire() as connection:
        at = present()
        return await keys.retire_key(connection, number, at, at - timedelta(seconds=REMEMBERED))
