"""`perennial case files`: what customers attached to the mails of a case, listed and taken out."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from activities.mail import inbox
from domain.kernel.refusals import UNKNOWN_CASE, Refusal
from domain.mail.reading import Attachment, files_of
from workers.cli.common import UserError, facts, waited
from workers.cli.output import Json, print_json, show_table

_NAME_LIMIT = 150
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


@waited
async def files(
    case: str,
    out: Annotated[Path | None, typer.Option(help="A folder that takes them; it is made if it is not there.")] = None,
    as_json: Json = False,
) -> None:
    """The files of a case's mails, each with the mail that it came with. A mail of up to 32 MB is kept whole, its files too."""
    found: list[dict[str, Any]] = []
    async with facts() as connection:
        mails = await inbox.mails_with_files(connection, case)
        if mails is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case!r}; `perennial case list` shows them")
        for inbox_id, received_at in mails:  # one at a time: each may be large
            row = await inbox.find_mail(connection, inbox_id)
            for file, content in await asyncio.to_thread(files_of, row["raw"]) if row else ():
                one = {"mail": inbox_id, "received_at": received_at, "name": file.name, "type": file.media_type}
                found.append({**one, "bytes": file.size})
                if out is not None:
                    found[-1]["kept_as"] = _kept(out, len(found), file, content)
    if as_json:
        print_json(found)
        return
    names = ("mail", "received (UTC)", "file", "type", ">bytes", *(["kept as"] if out else []))
    rows = [[one["mail"][:14], *list(one.values())[1:]] for one in found]
    show_table(names, rows, "No files came with the mails of this case.")


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
