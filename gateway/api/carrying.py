"""How a call that changes something is carried out: read within bounds, repeated or done once, its answer kept."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from domain.frame.access import Principal
from domain.kernel.refusals import Refusal
from gateway.api import keeping, problems
from gateway.api.bodies import check_media_type, read_bytes, read_object
from gateway.doors import Doors


@dataclass(frozen=True)
class Done:
    """What a call is answered. `settled` is false for what is not over yet, and may be answered otherwise at the next try."""

    body: Any
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)
    settled: bool = True


Work = Callable[[dict[str, Any], str | None], Awaitable[Done]]
"""Does what a document asks; under the id that a repeated call has again, if it was said to be one."""


async def carried_out(request: Request, doors: Doors, who: Principal, work: Work) -> Response:
    """One call: its answer if it was done before under its Idempotency-Key, else that of `work`, which is kept if it is over. What is
    refused did nothing and is not kept: the same call is looked at anew, and may have come true meanwhile."""
    check_media_type(request)
    content = await read_bytes(request)
    again = keeping.repetition_of(request, who, content)
    asked = read_object(content)
    if again is not None and (before := await keeping.claim(doors.pool, again)) is not None:
        return before
    try:
        done = await work(asked, again.request_id if again else None)
    except Refusal as refusal:
        refused = problems.of_refusal(refusal)
        done = Done(json.loads(bytes(refused.body)), HTTPStatus(refused.status_code), settled=False)
    if again is not None and done.settled:
        await keeping.keep(doors.pool, again, done.status, done.body)
    kind = problems.MEDIA_TYPE if done.status >= HTTPStatus.BAD_REQUEST else None
    return JSONResponse(done.body, done.status, done.headers, media_type=kind)
