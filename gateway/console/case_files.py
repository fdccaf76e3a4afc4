"""A file that came with a mail of a case: handed over to be kept, and never shown as a page of ours."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

from starlette.responses import Response

from activities.mail.inbox import mail_of_case
from domain.kernel.refusals import UNKNOWN_CASE, UNKNOWN_MAIL, Refusal
from domain.mail.reading import files_of
from gateway.console.visit import Visit

_KIND = "application/octet-stream"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\\\:*?"<>|]+')
_LONGEST_NAME = 150
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


async def one_file(visit: Visit) -> Response:
    """One file, for who may see the case."""
    case_id, mail = visit.id("case_id", UNKNOWN_CASE), visit.id("mail", UNKNOWN_MAIL)
    await visit.place.acting.sees_case(visit.who, case_id)
    said = str(visit.request.path_params["number"])
    async with visit.place.doors.pool.acquire() as connection:
        raw = await mail_of_case(connection, case_id, mail)
    number = int(said) if _NUMBER.fullmatch(said) else 0
    files = [] if raw is None else await asyncio.to_thread(files_of, raw)
    if not 0 < number <= len(files):
        raise Refusal("UnknownFile", "no such file came with a mail of this case")
    file, content = files[number - 1]
    name = _UNSAFE.sub("_", file.name).strip(". ")[-_LONGEST_NAME:] or "file"
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return visit.finished(Response(content, media_type=_KIND, headers=headers))
