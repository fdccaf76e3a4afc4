"""`perennial case files`: what customers attached to the mails of a case, listed and taken out."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from activities.mail import inbox
from domain.kernel.refusals import UNKNOWN_CASE, Refusal
from domain.mail.reading import Attachment, files_of
from workers.cli.common import UserError, console, database, print_json, run

_NAME_LIMIT = 150
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def files(
    case: str,
    out: Annotated[Path | None, typer.Option(help="A folder that takes them; it is made if it is not there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON on standard output.")] = False,
) -> None:
    """The files of a case's mails, each with the mail that it came with. A mail of up to 32 MB is kept whole, its files too."""
    found = run(_files(case, out))
    if as_json:
        print_json(found)
        return
    table = Table(
        "mail", "received (UTC)", "file", "type", Column("bytes", justify="right"), *(["kept as"] if out else [])
    )
    for one in found:
        cells = (
            one["mail"][:14],
            f"{one['received_at']:%Y-%m-%d %H:%M}",
            one["name"],
            one["type"],
            f"{one['bytes']:,}",
        )
        table.add_row(*(escape(cell) for cell in cells), *([escape(one["kept_as"])] if out else []))
    console.print(table if found else "No files came with the mails of this case.")


async def _files(case_id: str, out: Path | None) -> list[dict[str, Any]]:
    async with database() as pool, pool.acquire() as connection:
        mails = await inbox.mails_with_files(connection, case_id)
        if mails is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}; `perennial case list` shows them")
        found: list[dict[str, Any]] = []
        for inbox_id, received_at in mails:  # one at a time: each may be large
            row = await inbox.find_mail(connection, inbox_id)
            if row is None:
                continue
            for file, content in await asyncio.to_thread(files_of, row["raw"]):
                kept = {} if out is None else {"kept_as": _kept(out, len(found) + 1, file, content)}
                found.append(
                    {
                        "mail": inbox_id,
                        "received_at": received_at,
                        "name": file.name,
                        "type": file.media_type,
                        "bytes": file.size,
                    }
                    | kept
                )
        return found


def _kept(folder: Path, number: int, file: Attachment, content: bytes) -> str:
    """Writes a file under its own name with a number before it, so that none replaces another; the path."""
    name = _UNSAFE.sub("_", file.name).strip(". ")[-_NAME_LIMIT:] or "file"
    path = folder / f"{number:02d}-{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as target:
            target.write(content)
    except FileExistsError as error:
        raise UserError(f"{path} is there already; give another folder, or remove it") from error
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error}") from error
    return str(path)
