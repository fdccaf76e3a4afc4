"""Problem details (RFC 9457): what is wrong with a call, which field, what would be right, and what to do next."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from activities.kernel.pool import TRANSPORT_ERRORS
from domain.kernel.refusals import ACCOUNT_MERGED, JOURNEY_CLOSED, NOT_ALLOWED, Problem, Refusal
from gateway.calling import NoAnswerError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds after which a call is worth another try."""
_STATUS = {NOT_ALLOWED: HTTPStatus.FORBIDDEN, ACCOUNT_MERGED: HTTPStatus.CONFLICT, JOURNEY_CLOSED: HTTPStatus.CONFLICT}

_log = logging.getLogger(__name__)


class CallError(Exception):
    """A call that cannot be taken, for a reason of the door's own."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, problems: Iterable[Problem] = (), **headers: str
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.problems = tuple(problems)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(detail)


def status_of(refusal: Refusal) -> HTTPStatus:
    """The status of a refusal: unknown things are 404, conflicts 409, what is not allowed 403, all else 422."""
    if refusal.type in _STATUS:
        return _STATUS[refusal.type]
    if refusal.type.startswith("Unknown"):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.CONFLICT if "Conflict" in refusal.type else HTTPStatus.UNPROCESSABLE_ENTITY


def document(status: HTTPStatus, code: str, detail: str, problems: Iterable[Problem] = ()) -> dict[str, Any]:
    """A problem as JSON. `type` and `code` are words that programs may rely on, `detail` is a sentence for people."""
    return {
        "type": f"urn:perennial:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "problems": [problem.model_dump(mode="json") for problem in problems],
    }


def answer(
    status: HTTPStatus,
    code: str,
    detail: str,
    problems: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response that tells a problem."""
    return JSONResponse(document(status, code, detail, problems), int(status), headers, media_type=MEDIA_TYPE)


def of_refusal(refusal: Refusal) -> JSONResponse:
    """The response for a refusal."""
    return answer(status_of(refusal), refusal.type, str(refusal), refusal.problems)


def install(app: FastAPI) -> None:
    """Every error that a call can meet is answered with a problem; mistakes of ours are logged, and say nothing of their insides."""

    @app.exception_handler(Refusal)
    async def _refused(_: Request, error: Refusal) -> JSONResponse:
        return of_refusal(error)

    @app.exception_handler(CallError)
    async def _not_taken(_: Request, error: CallError) -> JSONResponse:
        return answer(error.status, error.code, error.detail, error.problems, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _wrong(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = [Problem(field=_place(one["loc"]), problem=str(one["msg"])) for one in error.errors()]
        said = "the call cannot be read"
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidCall", said, problems)

    @app.exception_handler(HTTPException)
    async def _no_such(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        said = f"there is no {request.method} {request.url.path}; /v1/openapi.json lists what there is"
        return answer(status, "NoSuchCall", said, headers=error.headers)

    @app.exception_handler(NoAnswerError)
    async def _unanswered(_: Request, error: NoAnswerError) -> JSONResponse:
        return _away("NoAnswer", str(error))

    for kind in (*TRANSPORT_ERRORS, RPCError):
        app.add_exception_handler(kind, _server_away)
    app.add_exception_handler(asyncpg.PostgresError, _mistake)
    app.add_exception_handler(Exception, _mistake)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _away(code: str, said: str) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER)}
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, code, said, headers=headers)


async def _server_away(_: Request, error: Exception) -> JSONResponse:
    _log.warning("a server cannot be reached: %s", type(error).__name__)
    return _away("ServerAway", "a server behind this one cannot be reached; the same call may be sent again")


async def _mistake(_: Request, error: Exception) -> JSONResponse:
    _log.error("a call ended in a mistake of ours", exc_info=error)
    said = "this is a mistake of ours and stands in the log; the same call may be sent again"
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "OurMistake", said)
