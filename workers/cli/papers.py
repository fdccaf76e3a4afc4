"""`perennial document`: the documents that a customer got, and each of them as a PDF."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, get_args

import typer

from gateway.here import find_running
from workers.cli.common import UserError, console, facts, settings_of, waited
from workers.cli.output import Json, print_json, show_table

app = typer.Typer()
_MOST = 200


@app.command()
@waited
async def document(
    account: str,
    name: Annotated[
        str | None, typer.Argument(help="An invoice, a credit note or a quote.", show_default=False)
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="The file that it is written to.", show_default=False)] = None,
    version: Annotated[int | None, typer.Option(help="Of a quote; the latest otherwise.", show_default=False)] = None,
    language: Annotated[str | None, typer.Option(help="en or ja; that of the customer otherwise.")] = None,
    as_json: Json = False,
) -> None:
    """The documents that a customer got; one of them, as a PDF."""
    from gateway.views.papers import papers_of_account

    if name is not None:
        await _write(account, name, pdf, version, language)
        return
    async with facts() as connection:
        found = (await papers_of_account(connection, account, _MOST)).items
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [(one.issued_on, one.kind, one.id, one.version, one.sent_to, one.sent_at) for one in found]
    show_table(("date", "what", "!id", ">version", "sent to", "at"), rows, "No documents were sent yet.")


async def _write(account: str, name: str, file: Path | None, version: int | None, language: str | None) -> None:
    from activities.channels.papers import Press
    from gateway import papers

    known = get_args(papers.Language)
    if language is not None and language not in known:
        raise UserError(f"--language is {language!r}; give one of {', '.join(known)}")
    if file is None:
        raise UserError(f"say where {name} shall be written to: --pdf {name}.pdf")
    press = Press()
    async with facts() as connection:
        paper = await papers.named(connection, account, name, version, settings_of(find_running()).issuer())
        sheet = await papers.sheet(connection, press, paper, next((one for one in known if one == language), None))
    made = await press.pdf(sheet)
    await asyncio.to_thread(file.write_bytes, made)
    console.print(f"{paper.name}: {file} ({len(made):,} bytes)", soft_wrap=True, highlight=False)
