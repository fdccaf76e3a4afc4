"""`perennial keys …`: the keys by which mails are signed, so that an answer or a delivery report proves which one it is about; and those
of customers, which the keys for payloads seal."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta

import typer

from activities.kernel.clock import present
from activities.mail import keys
from activities.mail.signing import REMEMBERED
from domain.kernel.shown import counted
from domain.mail.signing import SECRET_BYTES
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_table

app = typer.Typer(no_args_is_help=True)


@app.command("list")
@waited
async def list_keys(as_json: Json = False) -> None:
    """Every key, newest first; the secrets stay where they are."""
    async with facts() as connection:
        rows = await keys.list_keys(connection)
    if as_json:
        print_json(rows)
        return
    show_table((">key", "made (UTC)", "retired (UTC)", "does"), [
        (row["number"], row["made_at"] or "with the schema", row["retired_at"],
         "signs and verifies" if row["signs"] else "nothing" if row["retired_at"] else "verifies") for row in rows
    ])  # fmt: skip


@app.command()
@waited
async def rotate() -> None:
    """A new key signs from now on; older ones verify until they are retired."""
    async with facts() as connection:
        number = await keys.add_key(connection, secrets.token_bytes(SECRET_BYTES), present())
    console.print(
        f"Key {number} signs what is written from now on; within {REMEMBERED:.0f} seconds every worker uses it."
        " Older keys verify until `perennial keys retire NUMBER`."
    )


@app.command()
@waited
async def retire(number: int) -> None:
    """What a key has signed counts no more: answers to those mails open cases, delivery reports about them wait for a person."""
    at = present()
    async with facts() as connection:
        retired = await keys.retire_key(connection, number, at, at - timedelta(seconds=REMEMBERED))
    if not retired:
        raise UserError(
            f"key {number} signs, did so within the last {REMEMBERED:.0f} seconds, is retired already, or does not exist;"
            " `perennial keys list` shows them, and `perennial keys rotate` makes the next one"
        )
    console.print(f"Key {number} is retired.")


@app.command("seal-again")
@waited
async def seal_again() -> None:
    """Seals the keys of customers with the newest key for payloads, so that an older one may go once no history needs it."""
    from gateway.payloads.enclosing import STORE, data_keys_of
    from gateway.payloads.sealing import keys_of

    own = data_keys_of(os.environ, keys_of(os.environ))
    if own is None:
        raise UserError(f"customers have no keys of their own here; {STORE} names where they lie")
    console.print(f"{counted(await own.seal_again(), 'key')} sealed with the newest one.")
