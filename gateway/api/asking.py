"""What can be asked, as POST paths: one for each entry of the registry of requests, with its schema and its example."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response

from domain.frame.access import READ, WRITE, Principal
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import BEGINNINGS, CASE, JOURNEY, OF_CASES, OF_JOURNEYS
from gateway.acting import Acting, Subject, new_request_id, of_account, of_case
from gateway.api.carrying import Done, carried_out
from gateway.api.documents import READING, described
from gateway.api.entry import entry_to
from gateway.api.problems import CallError
from gateway.api.resources import RESOURCES_OF
from gateway.api.versions import VERSION
from gateway.calling import NoAnswerError
from gateway.doors import Doors
from gateway.views.answers.table import RequestOutcome

_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])")
_LONGEST_WAIT = 60

_Do = Callable[[Acting, Principal, dict[str, Any]], Awaitable[dict[str, Any]]]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
RequestId = Annotated[str, Path(pattern=r"^[\w.:-]{1,120}$")]


def asking(doors: Doors) -> APIRouter:
    """The paths of all requests that somebody outside may make."""
    router = APIRouter(prefix=VERSION)
    acting = Acting(doors, "api")
    _beginnings(router, doors, acting)
    for areas, add in ((OF_JOURNEYS, _of_account), (OF_CASES, _of_case)):
        for area, kinds in areas.items():
            for kind in kinds:
                if not kind.internal and kind.update not in BEGINNINGS:
                    add(router, doors, acting, kind, RESOURCES_OF[area])
    _outcomes(router, doors, acting)
    return router


def _beginnings(router: APIRouter, doors: Doors, acting: Acting) -> None:
    async def place(acting: Acting, who: Principal, document: dict[str, Any]) -> dict[str, Any]:
        return await acting.place(who, document)

    async def take_over(acting: Acting, who: Principal, document: dict[str, Any]) -> dict[str, Any]:
        return await acting.place(who, document, "import_order")

    async def open_case(acting: Acting, who: Principal, document: dict[str, Any]) -> dict[str, Any]:
        return await acting.open_case(who, document)

    def place_of(document: dict[str, Any]) -> Subject:
        account = document.get("account")
        return of_account(str(account.get("account_id")) if isinstance(account, dict) else "")

    def case_of(document: dict[str, Any]) -> Subject:
        return of_case(str(document.get("case_id")))

    for path, kind, resource, do, subject in (
        ("/orders", JOURNEY["place_order"], "orders", place, place_of),
        ("/imports/orders", JOURNEY["import_order"], "imports", take_over, place_of),
        ("/cases", CASE["open_case"], "cases", open_case, case_of),
    ):
        _add(router, doors, acting, path, kind, resource, do, subject)


def _add(
    router: APIRouter,
    doors: Doors,
    acting: Acting,
    path: str,
    kind: RequestKind[Any],
    resource: str,
    do: _Do,
    subject: Callable[[dict[str, Any]], Subject],
) -> None:
    enter = Depends(entry_to(doors.pool, resource, WRITE))

    async def endpoint(request: Request, who: Principal = enter) -> Response:
        return await _carry_out(request, doors, acting, who, kind, do, subject)

    router.add_api_route(path, endpoint, **described(kind, resource))


def _of_account(router: APIRouter, doors: Doors, acting: Acting, kind: RequestKind[Any], resource: str) -> None:
    enter = Depends(entry_to(doors.pool, resource, WRITE))

    async def endpoint(request: Request, account_id: Id, who: Principal = enter) -> Response:
        async def do(acting: Acting, who: Principal, asked: dict[str, Any]) -> dict[str, Any]:
            return await acting.ask(who, account_id, kind.update, asked)

        return await _carry_out(request, doors, acting, who, kind, do, lambda _: of_account(account_id))

    router.add_api_route(f"/accounts/{{account_id}}/requests/{kind.update}", endpoint, **described(kind, resource))


def _of_case(router: APIRouter, doors: Doors, acting: Acting, kind: RequestKind[Any], resource: str) -> None:
    enter = Depends(entry_to(doors.pool, resource, WRITE))

    async def endpoint(request: Request, case_id: Id, who: Principal = enter) -> Response:
        async def do(acting: Acting, who: Principal, asked: dict[str, Any]) -> dict[str, Any]:
            return await acting.ask_case(who, case_id, kind.update, asked)

        return await _carry_out(request, doors, acting, who, kind, do, lambda _: of_case(case_id))

    router.add_api_route(f"/cases/{{case_id}}/requests/{kind.update}", endpoint, **described(kind, resource))


async def _carry_out(
    request: Request,
    doors: Doors,
    acting: Acting,
    who: Principal,
    kind: RequestKind[Any],
    do: _Do,
    subject: Callable[[dict[str, Any]], Subject],
) -> Response:
    """One call, done under an id of its own; what is not answered in time is passed on."""

    async def work(asked: dict[str, Any], again: str | None) -> Done:
        if "request_id" in kind.model.model_fields:
            asked.setdefault("request_id", again or new_request_id())
        try:
            return Done(await do(acting.patient(_patience(request, doors)), who, asked))
        except NoAnswerError as error:
            return _accepted(subject(asked), kind, asked, error)

    return await carried_out(request, doors, who, work)


def _patience(request: Request, doors: Doors) -> timedelta:
    """For how long the call wants to wait for its answer, by `Prefer: wait=…` (RFC 7240)."""
    said = _WAIT.search(request.headers.get("prefer", ""))
    return timedelta(seconds=min(max(int(said[1]), 1), _LONGEST_WAIT)) if said else doors.within


def _accepted(subject: Subject, kind: RequestKind[Any], asked: dict[str, Any], error: NoAnswerError) -> Done:
    """What is said of a call that was passed on and not answered in time: where to look for the answer."""
    request_id = str(asked.get(kind.id_field) or "")
    body = {"status": "open", "request_id": request_id or None, "detail": str(error)}
    where = {"Location": f"/v1/{subject.kind}s/{subject.id}/requests/{request_id}"} if request_id else {}
    return Done(body, HTTPStatus.ACCEPTED, where, settled=False)


def _outcomes(router: APIRouter, doors: Doors, acting: Acting) -> None:
    """What became of a request, for whoever did not wait for it."""
    accounts, cases = (Depends(entry_to(doors.pool, resource, READ)) for resource in ("accounts", "cases"))

    async def found(who: Principal, subject: Subject, request_id: str) -> dict[str, Any]:
        outcome = await acting.outcome(who, subject, request_id)
        if outcome is None:
            said = f"no request {request_id!r} of {subject} was made through this door or is on record"
            raise CallError(HTTPStatus.NOT_FOUND, "UnknownRequest", said)
        return {"request_id": request_id, **outcome}

    @router.get(
        "/accounts/{account_id}/requests/{request_id}",
        tags=["accounts"],
        operation_id="request_of_account",
        response_model=RequestOutcome,
        responses=READING,
    )
    async def of_an_account(account_id: Id, request_id: RequestId, who: Principal = accounts) -> JSONResponse:
        """What became of a request to a customer's journey: done with its answer, open, or how it was refused."""
        await acting.sees(who, account_id)
        return JSONResponse(await found(who, of_account(account_id), request_id))

    @router.get(
        "/cases/{case_id}/requests/{request_id}",
        tags=["cases"],
        operation_id="request_of_case",
        response_model=RequestOutcome,
        responses=READING,
    )
    async def of_a_case(case_id: Id, request_id: RequestId, who: Principal = cases) -> JSONResponse:
        """What became of a request to a case: done with its answer, open, or how it was refused."""
        await acting.sees_case(who, case_id)
        return JSONResponse(await found(who, of_case(case_id), request_id))
